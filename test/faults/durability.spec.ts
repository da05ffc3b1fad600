import { setTimeout as delay } from 'node:timers/promises';
import { getDataSourceToken } from '@nestjs/typeorm';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { loadConfig } from '../../src/config/config.js';
import { RowCountFallback } from '../../src/database/lists/row-count-folding.js';
import { type Api, startApi } from '../support/api.js';
import { StatisticsRecorder } from '../../src/statistics/statistics-recorder.js';
import { createEnvironment } from '../support/environment.js';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres-server.js';
import { redisUrls } from '../support/services.js';
import { warningsDuring } from '../support/warnings.js';

/** A session of PostgreSQL tells what it has done when this has passed since it told the last time, before it answers. */
const STATISTICS_INTERVAL_MS = 1_100;

/** Starts an API, and gives what it says of the settings of PostgreSQL. */
const warningsOf = async (start: () => Promise<Api>) => {
  const { result: api, warnings } = await warningsDuring(start);
  return { api, warnings: warnings.filter((line) => line.startsWith('PostgreSQL can lose ')) };
};

describe('an order that was answered 201', () => {
  let postgres: OwnPostgres;
  let sql: pg.Client;

  beforeAll(async () => {
    // Nobody else writes the log to disk while a purchase is answered.
    postgres = await startOwnPostgres({
      settings: { wal_writer_delay: '10s', autovacuum: 'off', checkpoint_timeout: '1h' },
    });
    sql = new pg.Client({ connectionString: postgres.url });
    sql.on('error', () => undefined);
    await sql.connect();
  }, 60_000);

  afterAll(async () => {
    await sql.end();
    await postgres.stop();
  });

  const start = async () => {
    const variables = { ...redisUrls(), LOG_LEVEL: 'error', DATABASE_URL: postgres.url, DATABASE_POOL_SIZE: '1' };
    const { api, warnings } = await warningsOf(() => startApi(loadConfig(variables, 'api')));
    // Their statements would have the session tell of its statistics between a purchase and the test.
    await api.app.get(RowCountFallback, { strict: false }).beforeApplicationShutdown();
    await api.app.get(StatisticsRecorder, { strict: false }).beforeApplicationShutdown();
    return { api, warnings };
  };
  const flushes = async () =>
    (await sql.query(`SELECT sum(fsyncs)::int AS count FROM pg_stat_io WHERE object = 'wal'`)).rows[0].count as number;
  /** How often the log was flushed to disk between the sending of a purchase and its answer, for a few purchases. */
  const flushesOf = async (api: Api) => {
    const product_id = await api.createProduct();
    const counts: number[] = [];
    for (let purchase = 0; purchase < 4; purchase++) {
      await delay(STATISTICS_INTERVAL_MS);
      // Has the session told what it did before? Then it tells at the end of the next transaction, which is the purchase.
      await api.app.get<DataSource>(getDataSourceToken()).query('SELECT 1');
      await delay(STATISTICS_INTERVAL_MS);
      const before = await flushes();
      expect((await api.post('/orders', { product_id })).status).toBe(201);
      counts.push((await flushes()) - before);
    }
    return counts;
  };

  it('is on disk before the answer: PostgreSQL has flushed its log by then', async () => {
    const { api, warnings } = await start();
    try {
      expect(warnings).toEqual([]);
      expect(Math.min(...(await flushesOf(api)))).toBeGreaterThan(0);
    } finally {
      await api.close();
    }
  }, 60_000);

  it('would not be if commits were not waited for, which the process warns of at its start', async () => {
    await sql.query('ALTER DATABASE orders SET synchronous_commit TO off');
    const { api, warnings } = await start();
    try {
      expect(warnings).toEqual([expect.stringContaining('"setting":"synchronous_commit"')]);
      // Processes in the background may have flushed it for one of them.
      expect(Math.min(...(await flushesOf(api)))).toBe(0);
    } finally {
      await api.close();
    }
  }, 60_000);

  it('survives a crash of PostgreSQL that comes with the answer', async () => {
    await sql.query('ALTER DATABASE orders RESET synchronous_commit');
    const { api } = await start();
    const product_id = await api.createProduct();
    const { body } = await api.post('/orders', { product_id });
    await postgres.end('SIGKILL');
    await api.close();
    await postgres.restart();
    const again = new pg.Client({ connectionString: postgres.url });
    await again.connect();
    expect((await again.query('SELECT status FROM orders WHERE id = $1', [body.id])).rows).toEqual([
      { status: 'pending' },
    ]);
    await again.end();
  }, 60_000);
});

it('a process warns at its start of everything that lets PostgreSQL lose what was confirmed', async () => {
  // The PostgreSQL of the tests has fsync off.
  const environment = await createEnvironment();
  const { rows } = await environment.sql.query(`SELECT setting FROM pg_settings WHERE name = 'fsync'`);
  const { api, warnings } = await warningsOf(() => startApi(environment.config));
  await api.close();
  await environment.close();
  const expected = [expect.stringMatching(/^PostgreSQL can lose confirmed orders in a crash.*"setting":"fsync"/)];
  expect(warnings).toEqual(rows[0].setting === 'off' ? expected : []);
});
