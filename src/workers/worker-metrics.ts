import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { gauge } from '../telemetry/metrics.js';
import { ObservedGauges } from '../telemetry/observed-gauges.js';
import { selectWorkers, type RegisteredWorker } from './worker-rows.js';

const alive = gauge({
  name: 'workers_alive',
  unit: 'workers',
  help: 'Workers that have told of themselves within 15 s. Of the whole shop.',
});

/** Tells how many workers there are. */
@Injectable()
export class WorkerMetrics extends ObservedGauges {
  protected readonly gauges = [alive];

  constructor(@InjectDataSource(READS) private readonly reads: DataSource) {
    super();
  }

  protected async read(): Promise<void> {
    const workers = await readPrepared<RegisteredWorker>(this.reads, selectWorkers());
    const since = Date.now() - LIMITS.workerSilenceMs;
    alive.set(workers.filter(({ seenAt }) => seenAt.getTime() >= since).length);
  }
}
