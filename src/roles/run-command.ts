import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger } from '../runtime/logger.js';
import type { Config } from '../config/config.js';

/** Builds what a command needs, does the one thing, and gives its exit status. */
export async function runCommand(
  config: Config,
  module: DynamicModule,
  work: (app: INestApplicationContext) => Promise<number>,
): Promise<number> {
  const app = await NestFactory.createApplicationContext(module, {
    logger: createLogger({ logging: { ...config.logging, level: 'error' } }, 'command', process.stderr),
    abortOnError: false,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
