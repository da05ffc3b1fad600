import type { QueryConfig } from 'pg';
import { LIMITS } from '../config/limits.js';

// The one writer of `workers`, and its readers.

/** A worker as it has last told of itself. Times are by the clock of PostgreSQL. */
export interface RegisteredWorker {
  readonly id: string;
  readonly startedAt: Date;
  readonly seenAt: Date;
  readonly version: string;
  /** Orders that it works on at once, at most. */
  readonly concurrency: number;
  /** Orders that it worked on when it was last seen. */
  readonly inFlight: number;
}

/** Rows of workers that have died are kept so long, in seconds. */
const KEPT_SECONDS = 86_400;

/** Registers the worker, or notes that it is still there; forgets workers that have been silent for a day. */
export function touchWorker(worker: Omit<RegisteredWorker, 'seenAt' | 'startedAt'>): QueryConfig {
  return {
    name: 'touch-worker',
    text: `WITH forgotten AS (DELETE FROM workers WHERE seen_at < clock_timestamp() - $5 * interval '1 second')
           INSERT INTO workers (id, started_at, version, concurrency, in_flight) VALUES ($1, clock_timestamp(), $2, $3, $4)
           ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), in_flight = EXCLUDED.in_flight`,
    values: [worker.id, worker.version, worker.concurrency, worker.inFlight, KEPT_SECONDS],
  };
}

/** Of a worker that stops in order. */
export function removeWorker(id: string): QueryConfig {
  return { name: 'remove-worker', text: 'DELETE FROM workers WHERE id = $1', values: [id] };
}

/** All workers, the oldest first. */
export function selectWorkers(): QueryConfig {
  return {
    name: 'select-workers',
    text: `SELECT id, started_at AS "startedAt", seen_at AS "seenAt", version, concurrency, in_flight AS "inFlight"
           FROM workers ORDER BY started_at, id`,
  };
}

/** The id of the oldest worker that is alive. One that was seen in the future has died before the clock was set back. */
export function selectLeader(): QueryConfig {
  return {
    name: 'select-leading-worker',
    text: `SELECT id FROM workers WHERE abs(extract(epoch FROM clock_timestamp() - seen_at)) * 1000 < $1
           ORDER BY started_at, id LIMIT 1`,
    values: [LIMITS.workerSilenceMs],
  };
}
