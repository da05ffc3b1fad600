import { createHash, timingSafeEqual } from 'node:crypto';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter as BullBoardFastifyAdapter } from '@bull-board/fastify';
import { getQueueToken } from '@nestjs/bullmq';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { boundConnections, connectionOptions } from '../../http/server/connections.js';
import { createLogger } from '../../runtime/logger.js';
import { NAME } from '../../kernel/version.js';
import type { Config } from '../../config/config.js';
import { DashboardModule, QUEUES } from './dashboard.module.js';

/** Answers while the process lives, also without credentials: for a container's health check. */
const HEALTH_PATH = '/health';

/** The board's page asks a foreign host for its fonts; it looks well with those of the machine. */
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/g;

/** Builds the queue dashboard; it does not listen yet. */
export async function createDashboard(config: Config): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    DashboardModule.forRoot(config),
    new FastifyAdapter(connectionOptions()),
    { logger: createLogger(config), abortOnError: false },
  );
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  boundConnections(server, config.maxConnections);
  server.get(HEALTH_PATH, () => ({ status: 'healthy' }));
  server.addHook('onSend', async (_request, _reply, payload) =>
    typeof payload === 'string' ? payload.replaceAll(FOREIGN_FONTS, '') : payload,
  );
  const { user, password } = config.dashboard;
  // Without credentials the dashboard is open, which `loadConfig` allows outside production only.
  if (user !== undefined && password !== undefined) requireCredentials(server, `${user}:${password}`);

  const board = new BullBoardFastifyAdapter();
  createBullBoard({
    queues: QUEUES.map((name) => new BullMQAdapter(app.get<Queue>(getQueueToken(name)))),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: NAME } },
  });
  await server.register(board.registerPlugin(), { prefix: '/' });
  return app;
}

/** Nest's guards do not see the board's routes; a hook of the server sees every request there is. */
function requireCredentials(server: FastifyInstance, credentials: string): void {
  const expected = digest(`Basic ${Buffer.from(credentials).toString('base64')}`);
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url === HEALTH_PATH) return;
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return;
    await reply
      .code(401)
      .header('WWW-Authenticate', `Basic realm="${NAME}"`)
      .send({ error: 'Credentials are required' });
  });
}

/** Equally long for every input, as a comparison in constant time needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
