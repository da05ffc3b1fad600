import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiModule } from './api.module.js';
import { API_PREFIX } from './common/api-prefix.js';
import { createFastifyAdapter } from './common/fastify-adapter.js';
import { createLogger } from './common/logger.js';
import type { Config } from './config/config.js';
import { servePages } from './pages.js';

/** Builds the API with its pages; it does not listen yet. */
export async function createApi(config: Config): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.forRoot(config), createFastifyAdapter(), {
    bodyParser: false,
    logger: createLogger(config),
    abortOnError: false,
  });
  app.setGlobalPrefix(API_PREFIX, { exclude: ['/'] });
  if (config.corsOrigins.length > 0) {
    app.enableCors({
      origin: config.corsOrigins.includes('*') ? '*' : [...config.corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      strictPreflight: false,
      exposedHeaders: ['Location', 'Link', 'ETag', 'Idempotent-Replayed', 'X-Request-Id', 'Retry-After'],
    });
  }
  await servePages(app);
  return app;
}
