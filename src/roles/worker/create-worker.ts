import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger } from '../../runtime/logger.js';
import type { Config } from '../../config/config.js';
import { WorkerModule } from './worker.module.js';

/** Builds and starts a worker: it takes jobs from here on. */
export async function createWorker(config: Config): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(WorkerModule.forRoot(config), {
    logger: createLogger(config),
    abortOnError: false,
  });
}
