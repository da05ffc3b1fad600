import { type AccessPolicy, readAccess } from './access.js';
import { checkConfig } from './config-checks.js';
import { EnvironmentReader } from './environment-reader.js';
import { type Demo, readDemo } from './demo.js';
import { LIMITS } from './limits.js';
import { type Logging, readLogging } from './logging.js';
import { readMetrics } from './metrics-port.js';
import { readServices } from './services.js';
import { readTracing, type Tracing } from './tracing.js';

/** How stock is taken in a purchase: under a row lock, or by a conditional `UPDATE`. */
export type OrderLocking = 'pessimistic' | 'optimistic';

/** What a process of the one code base does: serve HTTP, process orders, show the queue; or one thing, and end. */
export type Role =
  | 'api'
  | 'worker'
  | 'dashboard'
  | 'audit'
  | 'flash-sale'
  | 'repair'
  | 'dead-letters'
  | 'redrive'
  | 'parked-events'
  | 'retry-events'
  | 'backup'
  | 'restore'
  | 'database-roles'
  | 'keys';

/** The configuration of a process, parsed once from its environment. Durations are in milliseconds unless named otherwise. */
export class Config {
  readonly production: boolean;
  readonly logging: Logging;
  readonly tracing: Tracing | undefined;
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly maxStreams: number;
  readonly keepAliveTimeoutMs: number;
  /** Where browsers find the API, behind a proxy: without a slash at its end. */
  readonly publicUrl: string | undefined;
  /** Where the metrics are served: `undefined` for nowhere. Unless the port was given, a process does without when it is taken. */
  readonly metrics: { readonly port: number; readonly isGiven: boolean } | undefined;
  readonly access: AccessPolicy;
  readonly allowedHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly shutdownTimeoutMs: number;
  readonly shutdownDelayMs: number;
  readonly database: {
    /** False for a dashboard that is given none. */
    readonly isThere: boolean;
    readonly url: string;
    /** Of the role that owns the tables. */
    readonly ownerUrl: string;
    /** Of a role that may make roles. */
    readonly adminUrl: string | undefined;
    readonly readerUrl: string | undefined;
    readonly poolSize: number;
    readonly readPoolSize: number;
    readonly lockTimeoutMs: number;
    readonly statementTimeoutMs: number;
    readonly transactionTimeoutMs: number;
  };
  readonly cache: { readonly url: string; readonly ttlSeconds: number };
  readonly queue: { readonly url: string };
  readonly orders: {
    readonly locking: OrderLocking;
    readonly processingDelayMs: number;
    readonly fulfilmentTimeoutMs: number;
    readonly attempts: number;
    readonly backoffMs: number;
    readonly sweepIntervalMs: number;
    readonly sweepAfterMs: number;
  };
  /** Paths and names of packages. */
  readonly plugins: readonly string[];
  readonly idempotencyTtlSeconds: number;
  /** What one holder may hold of a product, in percent of its stock and all holds of it together. */
  readonly holdLimitPercent: number;
  readonly worker: { readonly concurrency: number; readonly heartbeatFile: string | undefined };
  readonly dashboard: {
    readonly port: number;
    readonly user: string | undefined;
    readonly password: string | undefined;
    /** Where browsers find it, behind a proxy. */
    readonly publicUrl: string | undefined;
  };
  readonly demo: Demo;
}

/** Says everything that is wrong with the environment, a line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(['The configuration is not usable:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
    this.name = 'ConfigError';
  }
}

/**
 * Parses the environment of a process.
 *
 * @param plugins added to those of `PLUGINS`.
 * @throws ConfigError with all problems at once when a variable is missing or wrong.
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
  role: Role,
  plugins: readonly string[] = [],
): Config {
  const reader = new EnvironmentReader(environment);
  const config = {
    ...readServer(reader),
    ...readServices(reader, role),
    ...readProcessing(reader),
    plugins: [...new Set([...reader.list('PLUGINS'), ...plugins])],
  };
  reader.problems.push(...checkConfig(config, role));
  if (reader.problems.length > 0) throw new ConfigError(reader.problems);
  return config;
}

function readServer(reader: EnvironmentReader) {
  const production = reader.optional('NODE_ENV') === 'production';
  return {
    production,
    logging: readLogging(reader, production),
    tracing: readTracing(reader),
    host: reader.optional('HOST') ?? '127.0.0.1',
    port: reader.integer('PORT', { fallback: 8000, min: 0, max: 65_535 }),
    maxConnections: reader.integer('MAX_CONNECTIONS', { fallback: 10_000, min: 1, max: 1_000_000 }),
    maxStreams: reader.integer('MAX_STREAMS', { fallback: 5_000, min: 1, max: 1_000_000 }),
    keepAliveTimeoutMs: reader.integer('KEEP_ALIVE_TIMEOUT_MS', {
      fallback: LIMITS.keepAliveMs,
      min: 1_000,
      max: 3_600_000,
    }),
    metrics: readMetrics(reader),
    publicUrl: reader.optionalUrl('PUBLIC_URL', ['https:', 'http:'])?.replace(/\/+$/, ''),
    access: readAccess(reader),
    allowedHosts: reader.list('ALLOWED_HOSTS'),
    corsOrigins: reader.list('CORS_ORIGINS'),
    shutdownDelayMs: reader.integer('SHUTDOWN_DELAY_MS', { fallback: 3_000, min: 0, max: 60_000 }),
    shutdownTimeoutMs: reader.integer('SHUTDOWN_TIMEOUT_MS', { fallback: 8_000, min: 0, max: 600_000 }),
  };
}

function readProcessing(reader: EnvironmentReader) {
  const processingDelayMs = reader.integer('ORDER_PROCESSING_DELAY_MS', { fallback: 5_000, min: 0, max: 600_000 });
  const fulfilmentTimeoutMs = reader.integer('FULFILMENT_TIMEOUT_MS', {
    fallback: processingDelayMs + 30_000,
    min: 1,
    max: 3_600_000,
  });
  if (fulfilmentTimeoutMs <= processingDelayMs) {
    reader.problems.push('FULFILMENT_TIMEOUT_MS must be above ORDER_PROCESSING_DELAY_MS: every order would fail');
  }
  return {
    orders: {
      locking: reader.oneOf('ORDER_LOCKING', ['pessimistic', 'optimistic'], 'pessimistic'),
      processingDelayMs,
      fulfilmentTimeoutMs,
      attempts: reader.integer('ORDER_ATTEMPTS', { fallback: 5, min: 1, max: 100 }),
      backoffMs: reader.integer('ORDER_BACKOFF_MS', { fallback: 1_000, min: 1, max: 600_000 }),
      sweepIntervalMs: reader.integer('SWEEP_INTERVAL_MS', { fallback: 5_000, min: 10, max: 3_600_000 }),
      sweepAfterMs: reader.integer('SWEEP_AFTER_MS', { fallback: 10_000, min: 0, max: 3_600_000 }),
    },
    holdLimitPercent: reader.integer('HOLD_LIMIT', { fallback: 100, min: 1, max: 100 }),
    idempotencyTtlSeconds: reader.integer('IDEMPOTENCY_TTL', { fallback: 86_400, min: 60, max: 31_536_000 }),
    worker: {
      concurrency: reader.integer('WORKER_CONCURRENCY', { fallback: 50, min: 1, max: 10_000 }),
      heartbeatFile: reader.optional('WORKER_HEARTBEAT_FILE'),
    },
    dashboard: {
      port: reader.integer('DASHBOARD_PORT', { fallback: 5555, min: 0, max: 65_535 }),
      ...readCredentials(reader),
      publicUrl: reader.optionalUrl('DASHBOARD_PUBLIC_URL', ['https:', 'http:'])?.replace(/\/+$/, ''),
    },
    demo: readDemo(reader),
  };
}

function readCredentials(reader: EnvironmentReader) {
  const user = reader.optional('DASHBOARD_USER');
  const password = reader.secret('DASHBOARD_PASSWORD');
  if ((user === undefined) !== (password === undefined)) {
    reader.problems.push('DASHBOARD_USER and DASHBOARD_PASSWORD go together: set both or neither');
  }
  return { user, password };
}
