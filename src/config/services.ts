import type { Config, Role } from './config.js';
import type { EnvironmentReader } from './environment-reader.js';
import { LIMITS } from './limits.js';

const WITHOUT_REDIS: ReadonlySet<Role> = new Set([
  'audit',
  'flash-sale',
  'repair',
  'parked-events',
  'retry-events',
  'backup',
  'database-roles',
  'keys',
]);
const POSTGRES = ['postgres:', 'postgresql:'];
/** Of a dashboard that is given none. */
const NO_DATABASE = 'postgres://none';

/** Where PostgreSQL and both Redis are, and how long they may take. */
export function readServices(reader: EnvironmentReader, role: Role): Pick<Config, 'database' | 'cache' | 'queue'> {
  const needsNone = WITHOUT_REDIS.has(role);
  const max = LIMITS.transactionMs;
  const redisUrl = reader.url('REDIS_URL', ['redis:', 'rediss:'], needsNone ? 'redis://127.0.0.1' : undefined);
  const databaseUrl = reader.url('DATABASE_URL', POSTGRES, role === 'dashboard' ? NO_DATABASE : undefined);
  return {
    database: {
      isThere: databaseUrl !== NO_DATABASE,
      url: databaseUrl,
      ownerUrl: reader.optionalUrl('DATABASE_OWNER_URL', POSTGRES) ?? databaseUrl,
      adminUrl: reader.optionalUrl('DATABASE_ADMIN_URL', POSTGRES),
      readerUrl: reader.optionalUrl('DATABASE_READER_URL', POSTGRES),
      poolSize: reader.integer('DATABASE_POOL_SIZE', { fallback: 20, min: 1, max: 500 }),
      readPoolSize: reader.integer('DATABASE_READ_POOL_SIZE', { fallback: 10, min: 1, max: 500 }),
      lockTimeoutMs: reader.integer('DATABASE_LOCK_TIMEOUT_MS', { fallback: LIMITS.lockMs, min: 1, max }),
      statementTimeoutMs: reader.integer('DATABASE_STATEMENT_TIMEOUT_MS', {
        fallback: LIMITS.statementMs,
        min: 1,
        max,
      }),
      transactionTimeoutMs: reader.integer('DATABASE_TRANSACTION_TIMEOUT_MS', {
        fallback: LIMITS.transactionMs,
        min: 1,
        max,
      }),
    },
    cache: {
      url: redisUrl,
      ttlSeconds: reader.integer('CACHE_TTL', { fallback: 300, min: 1, max: 86_400 }),
    },
    queue: { url: reader.url('QUEUE_REDIS_URL', ['redis:', 'rediss:'], queueDatabaseOf(redisUrl)) },
  };
}

function queueDatabaseOf(redisUrl: string): string {
  if (!URL.canParse(redisUrl)) return 'redis://invalid/1';
  const url = new URL(redisUrl);
  url.pathname = '/1';
  return url.href;
}
