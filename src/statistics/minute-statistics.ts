import type { QueryConfig } from 'pg';
import { VERSION } from '../kernel/version.js';
import { COMPLETION_BUCKETS, DURATION_BUCKETS } from '../telemetry/metrics.js';
import { type Backlog, type Counts, PURCHASE_OUTCOMES } from './process-counts.js';

// The one writer of `minute_statistics`, and its reader.

/** What the shop did in the minutes of a step, added up. */
export interface Step extends Counts {
  readonly at: Date;
  /** From the beginning of the step to its last row, so that a running minute is not taken for a whole one. */
  readonly seconds: number;
  /** Of the last row; null when no process could tell. */
  readonly openOrders: number | null;
  /** The largest; null when no process could tell. */
  readonly oldestOpenAgeSeconds: number | null;
  readonly version: string;
  /** The largest share of a pool's connections that was in use, from 0 to 1; null when no process could tell. */
  readonly poolUsage: number | null;
  /** The fewest; null when no process could tell. */
  readonly workersAlive: number | null;
  /** Whether the queue's Redis answered everybody; null when nobody asked. */
  readonly queueAvailable: boolean | null;
}

/** What a process observes beside its counts; what it could not observe is missing. */
export interface Observed {
  readonly backlog: Backlog | undefined;
  readonly poolUsage: number | undefined;
  readonly workersAlive: number | undefined;
  readonly queueAvailable: boolean | undefined;
}

/** The history is kept so long, in days. */
const KEPT_DAYS = 30;

/** The element-wise sum of two arrays in SQL; a longer one is of a later release. */
const sum = (column: string) =>
  `ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0)
         FROM unnest(minute_statistics.${column}, excluded.${column}) WITH ORDINALITY AS pair (a, b, position) ORDER BY position)`;

/** The counts by code of two rows in SQL, added up. */
const SUM_OF_ERRORS = `(
               SELECT coalesce(jsonb_object_agg(code, count), '{}')
               FROM (SELECT key AS code, sum(value::bigint) AS count
                     FROM (SELECT * FROM jsonb_each_text(minute_statistics.errors)
                           UNION ALL SELECT * FROM jsonb_each_text(excluded.errors)) AS each GROUP BY key) AS added)`;

/** Adds the share of a process to the running minute, and forgets what is too old. */
export function addToMinute(counts: Counts, observed: Observed): QueryConfig {
  return {
    name: 'add-to-minute',
    text: `WITH forgotten AS (
             DELETE FROM minute_statistics WHERE minute < clock_timestamp() - interval '${KEPT_DAYS} days'
           )
           INSERT INTO minute_statistics VALUES
             (date_trunc('minute', clock_timestamp()), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, clock_timestamp(), $13, $14, $15, $16)
           ON CONFLICT (minute) DO UPDATE SET
             purchases = ${sum('purchases')},
             purchase_durations = ${sum('purchase_durations')},
             completed = minute_statistics.completed + excluded.completed,
             failed = minute_statistics.failed + excluded.failed,
             completion_durations = ${sum('completion_durations')},
             stock_outs = minute_statistics.stock_outs + excluded.stock_outs,
             cache_hits = minute_statistics.cache_hits + excluded.cache_hits,
             cache_misses = minute_statistics.cache_misses + excluded.cache_misses,
             server_errors = minute_statistics.server_errors + excluded.server_errors,
             open_orders = coalesce(excluded.open_orders, minute_statistics.open_orders),
             oldest_open_age_seconds = coalesce(excluded.oldest_open_age_seconds, minute_statistics.oldest_open_age_seconds),
             version = excluded.version,
             updated_at = excluded.updated_at,
             errors = ${SUM_OF_ERRORS},
             pool_usage = greatest(minute_statistics.pool_usage, excluded.pool_usage),
             workers_alive = least(minute_statistics.workers_alive, excluded.workers_alive),
             queue_available = least(minute_statistics.queue_available, excluded.queue_available)`,
    values: valuesOf(counts, observed),
  };
}

/** Of the columns after the minute, but for the time. */
function valuesOf(counts: Counts, { backlog, poolUsage, workersAlive, queueAvailable }: Observed): unknown[] {
  return [
    counts.purchases,
    counts.purchaseDurations,
    counts.completed,
    counts.failed,
    counts.completionDurations,
    counts.stockOuts,
    counts.cacheHits,
    counts.cacheMisses,
    counts.serverErrors,
    backlog?.openOrders ?? null,
    backlog?.oldestOpenAgeSeconds ?? null,
    VERSION,
    JSON.stringify(counts.errors),
    poolUsage ?? null,
    workersAlive ?? null,
    queueAvailable ?? null,
  ];
}

/** The sums of the elements of an array over rows in SQL: element by element, ten times as fast as `unnest`. */
function sumsOf(column: string, length: number): string {
  const sums = Array.from({ length }, (_each, index) => `coalesce(sum(${column}[${index + 1}]), 0)`);
  return `ARRAY[${sums.join(', ')}]::bigint[]`;
}

/** The {@link Step}s of `seconds` each that begin in a time, ascending; one in which nothing was recorded is left out. */
export function selectSteps({ from, to, step }: { from: Date; to: Date; step: number }): QueryConfig {
  return {
    name: 'select-statistics',
    text: `SELECT date_bin($3 * interval '1 second', minute, $1) AS at,
                  extract(epoch FROM max(updated_at) - date_bin($3 * interval '1 second', minute, $1))::float8 AS seconds,
                  ${sumsOf('purchases', PURCHASE_OUTCOMES.length)} AS purchases,
                  ${sumsOf('purchase_durations', DURATION_BUCKETS.length + 1)} AS "purchaseDurations",
                  ${sumsOf('completion_durations', COMPLETION_BUCKETS.length + 1)} AS "completionDurations",
                  sum(completed)::bigint AS completed, sum(failed)::bigint AS failed, sum(stock_outs)::bigint AS "stockOuts",
                  sum(cache_hits)::bigint AS "cacheHits", sum(cache_misses)::bigint AS "cacheMisses",
                  sum(server_errors)::bigint AS "serverErrors",
                  (array_agg(open_orders ORDER BY minute DESC))[1] AS "openOrders",
                  max(oldest_open_age_seconds) AS "oldestOpenAgeSeconds",
                  (array_agg(version ORDER BY minute DESC))[1] AS version,
                  max(pool_usage) AS "poolUsage", min(workers_alive) AS "workersAlive",
                  bool_and(queue_available) AS "queueAvailable",
                  (SELECT coalesce(jsonb_object_agg(code, count), '{}')
                   FROM (SELECT key AS code, sum(value::bigint) AS count
                         FROM unnest(array_agg(errors) FILTER (WHERE errors <> '{}')) AS of_minute, jsonb_each_text(of_minute)
                         GROUP BY key) AS added) AS errors
           FROM minute_statistics WHERE minute >= $1 AND minute <= $2 GROUP BY 1 ORDER BY 1`,
    values: [from, to, step],
  };
}
