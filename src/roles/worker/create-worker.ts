import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Config } from '../../config/config.js';
import { createLogger } from '../../runtime/logger.js';
import { WorkerModule, type WorkerOptions } from './worker.module.js';

/** Builds and starts a worker: it takes jobs from here on. */
export async function createWorker(config: Config, options: WorkerOptions = {}): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(WorkerModule.forRoot(config, options), {
    logger: createLogger(config, 'worker'),
    abortOnError: false,
  });
}
