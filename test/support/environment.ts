import { Redis } from 'ioredis';
import pg from 'pg';
import { type Config, loadConfig } from '../../src/config/config.js';
import { noteSecret } from './secrets.js';
import { createTestDatabase, redisUrls } from './services.js';

export interface Environment {
  variables: Record<string, string>;
  config: Config;
  /** A superuser's connection of the test's own, to look at rows and to hold locks. */
  sql: pg.Pool;
  close: () => Promise<void>;
}

/** A fresh database and empty Redis databases, with the variables and the configuration that lead to them. */
export async function createEnvironment(overrides: Record<string, string> = {}): Promise<Environment> {
  const database = await createTestDatabase();
  const urls = { ...redisUrls(), ...overrides };
  await emptyRedis(urls);
  const databaseUrls = { DATABASE_URL: database.applicationUrl, DATABASE_OWNER_URL: database.url };
  for (const url of [database.applicationUrl, database.url]) noteSecret(new URL(url).password);
  const variables = { LOG_LEVEL: 'info', LOG_FORMAT: 'json', PORT: '0', DASHBOARD_PORT: '0', ...databaseUrls, ...urls };
  const sql = new pg.Pool({ connectionString: database.url });
  sql.on('error', () => undefined);
  return {
    variables,
    config: loadConfig(variables, 'api'),
    sql,
    close: async () => {
      await sql.end();
      await database.drop();
    },
  };
}

/** A job that an earlier test has left would keep that of an order with the same id out. */
export async function emptyRedis({ REDIS_URL, QUEUE_REDIS_URL } = redisUrls()): Promise<void> {
  await Promise.all([REDIS_URL, QUEUE_REDIS_URL].map(empty));
}

async function empty(url: string): Promise<void> {
  const client = new Redis(url);
  await client.flushdb().finally(() => client.disconnect());
}
