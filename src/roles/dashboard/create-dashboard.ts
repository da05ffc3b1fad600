import { randomUUID } from 'node:crypto';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter as BullBoardFastifyAdapter } from '@bull-board/fastify';
import { getQueueToken } from '@nestjs/bullmq';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { answerClientError, boundConnections, connectionOptions } from '../../http/connections/connections.js';
import { browserGuard } from '../../http/server/browser-guard.js';
import { publicPathOf } from '../../http/server/public-path.js';
import { joinChunks } from '../../http/bodies/join-chunks.js';
import { answerUnroutable, inOneHook } from '../../http/server/request-steps.js';
import { securityHeaders } from '../../http/server/security-headers.js';
import { createLogger } from '../../runtime/logger.js';
import { NAME } from '../../kernel/version.js';
import type { Config } from '../../config/config.js';
import { guardDashboard } from './dashboard-door.js';
import { DashboardModule, QUEUES } from './dashboard.module.js';

/** Answers while the process lives, also without credentials: for a container's health check. */
const HEALTH_PATH = '/health';

/** The board's page asks a foreign host for its fonts; it looks well with those of the machine. */
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/g;

/** The board's scripts and styles are its own files; its components style themselves. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/** Builds the queue dashboard; it does not listen yet. */
export async function createDashboard(config: Config): Promise<NestFastifyApplication> {
  // Its own pages alone may use it, whatever CORS allows for the API.
  const { host, publicUrl, allowedHosts } = config;
  const guard = browserGuard({ host, publicUrl, allowedHosts, corsOrigins: [] });
  const guards = [securityHeaders(CONTENT_SECURITY_POLICY), guard];
  const app = await NestFactory.create<NestFastifyApplication>(
    DashboardModule.forRoot(config),
    new FastifyAdapter({
      ...connectionOptions(config),
      genReqId: () => randomUUID(),
      clientErrorHandler: answerClientError,
      frameworkErrors: answerUnroutable(guards),
    }),
    { logger: createLogger(config, 'dashboard'), abortOnError: false },
  );
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const bound = boundConnections(server, config.maxConnections);
  server.addHook('preParsing', joinChunks);
  server.addHook('onRequest', inOneHook([bound, ...guards]));
  server.addHook('onSend', async (_request, _reply, payload) =>
    typeof payload === 'string' ? payload.replaceAll(FOREIGN_FONTS, '') : payload,
  );
  guardDashboard(app, config);
  server.get(HEALTH_PATH, { config: { access: 'public' } }, () => ({ status: 'healthy' }));

  const board = new BullBoardFastifyAdapter();
  board.setBasePath(publicPathOf(publicUrl));
  createBullBoard({
    queues: QUEUES.map((name) => new BullMQAdapter(app.get<Queue>(getQueueToken(name)))),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: NAME } },
  });
  await server.register(board.registerPlugin(), { prefix: '/' });
  return app;
}
