import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { RateLimiter } from '../../access/rate-limiter.js';
import { RefusalRecorder } from '../../access/refusal-recorder.js';
import type { Refusal } from '../../kernel/access/caller.js';
import { TokenAuthenticator } from '../../access/token-authenticator.js';
import { ApiModule } from './api.module.js';
import { API_PREFIX } from '../../http/api-prefix.js';
import { AccessLog } from '../../http/problems/access-log.js';
import { doorOf } from '../../http/access/door.js';
import { createFastifyAdapter } from '../../http/server/fastify-adapter.js';
import { publicPathOf, sendPublicPaths } from '../../http/server/public-path.js';
import { createLogger } from '../../runtime/logger.js';
import type { Config } from '../../config/config.js';
import { Stopping } from '../../health/stopping.js';
import { countPurchases } from '../../orders/metrics/purchase-metrics.js';
import type { ModuleImport } from '../plugins.js';
import { serveConsole } from '../../http/pages/console-pages.js';
import { servePages } from '../../http/pages/documentation-pages.js';

export interface ApiOptions {
  /** Modules with controllers of their own, below the base path. */
  readonly imports?: readonly ModuleImport[];
}

/** Builds the API with its pages; it does not listen yet. */
export async function createApi(config: Config, { imports = [] }: ApiOptions = {}): Promise<NestFastifyApplication> {
  const adapter = createFastifyAdapter(config);
  countPurchases(adapter.getInstance(), `${API_PREFIX}/orders`);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.forRoot(config, imports), adapter, {
    bodyParser: false,
    logger: createLogger(config, 'api'),
    abortOnError: false,
  });
  openDoor(app);
  app.setGlobalPrefix(API_PREFIX, { exclude: ['/'] });
  if (config.corsOrigins.length > 0) {
    app.enableCors({
      origin: config.corsOrigins.includes('*') ? '*' : [...config.corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      strictPreflight: false,
      exposedHeaders: [
        'Location',
        'Link',
        'ETag',
        'Idempotent-Replayed',
        'X-Request-Id',
        'Retry-After',
        'RateLimit',
        'RateLimit-Policy',
        'WWW-Authenticate',
      ],
    });
  }
  await servePages(app, config.publicUrl);
  const publicPath = publicPathOf(config.publicUrl);
  await serveConsole(app.getHttpAdapter().getInstance(), publicPath);
  sendPublicPaths(app.getHttpAdapter().getInstance(), publicPath);
  new AccessLog(config.logging.access).attach(app.getHttpAdapter().getInstance());
  sendClientsAway(app);
  return app;
}

/** The door lets in whoever the features of access know. */
function openDoor(app: NestFastifyApplication): void {
  const refusals = app.get(RefusalRecorder, { strict: false });
  const door = doorOf(app.getHttpAdapter().getInstance());
  door.identification.authenticator = app.get(TokenAuthenticator, { strict: false });
  Object.assign(door, {
    rateLimit: app.get(RateLimiter, { strict: false }),
    onRefusal: (refusal: Refusal) => refusals.note(refusal),
  });
}

/** While the process is about to stop, each answer closes its connection: the client's next request goes elsewhere. */
function sendClientsAway(app: NestFastifyApplication): void {
  const stopping = app.get(Stopping, { strict: false });
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  // eslint-disable-next-line no-restricted-syntax -- the hook's own parameters
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping.isUnderWay) reply.header('Connection', 'close');
    done();
  });
}
