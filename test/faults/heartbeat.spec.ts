import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { loadConfig } from '../../src/config/config.js';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres-server.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';
import { startWorker } from '../support/worker.js';

const BEAT_MS = 100;

describe('the heartbeat file of a worker', () => {
  useLimits({ heartbeatMs: BEAT_MS, readinessMs: 1_000, statementMs: 1_000, connectMs: 1_000 });
  let postgres: OwnPostgres;
  let redis: OwnRedis;
  let worker: INestApplicationContext | undefined;
  let file: string;
  let folder: string;

  beforeAll(async () => {
    [postgres, redis, folder] = await Promise.all([
      startOwnPostgres(),
      startOwnRedis(),
      createTemporaryFolder('heartbeat'),
    ]);
    file = path.join(folder, 'worker.heartbeat');
    const variables = { ...redis.urls, DATABASE_URL: postgres.url, LOG_LEVEL: 'error', WORKER_HEARTBEAT_FILE: file };
    worker = await startWorker(loadConfig(variables, 'worker'));
  }, 60_000);

  afterAll(async () => {
    await worker?.close();
    await postgres.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  const beats = async () => {
    await rm(file, { force: true });
    await eventually(() => expect(Date.parse(readFileSync(file, 'utf8').trim())).toBeGreaterThan(0));
  };

  it('beats while the worker can work, without Redis as well, not without PostgreSQL, and is gone after the worker', async () => {
    await beats();
    await redis.kill();
    await beats();
    await redis.restart();

    await postgres.end('SIGKILL');
    // One look may have been under way; then none of many writes it.
    await eventually(async () => {
      await rm(file, { force: true });
      await delay(5 * BEAT_MS);
      expect(existsSync(file)).toBe(false);
    });
    await postgres.restart();
    await beats();
    await worker?.close();
    worker = undefined;
    expect(existsSync(file)).toBe(false);
  }, 60_000);
});
