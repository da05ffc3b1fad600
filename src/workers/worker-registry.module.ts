import { Module } from '@nestjs/common';
import { WorkerMetrics } from './worker-metrics.js';
import { WorkerRegistry } from './worker-registry.js';

/** Of the worker: it tells that it is alive. */
@Module({ providers: [WorkerRegistry, WorkerMetrics], exports: [WorkerRegistry] })
export class WorkerRegistryModule {}
