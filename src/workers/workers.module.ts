import { Module } from '@nestjs/common';
import { WorkersController } from './workers.controller.js';

/** Of the API: it shows which workers are alive. */
@Module({ controllers: [WorkersController] })
export class WorkersModule {}
