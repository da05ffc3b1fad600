import { Module } from '@nestjs/common';
import { WorkerRegistry } from './worker-registry.js';

/** Of the worker: it tells that it is alive. */
@Module({ providers: [WorkerRegistry], exports: [WorkerRegistry] })
export class WorkerRegistryModule {}
