import { Module } from '@nestjs/common';
import { WorkerMetrics } from './worker-metrics.js';
import { WorkersController } from './workers.controller.js';

/** Of the API: it shows which workers are alive. */
@Module({ controllers: [WorkersController], providers: [WorkerMetrics] })
export class WorkersModule {}
