import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigError, loadConfig } from './config.js';

const REQUIRED = { DATABASE_URL: 'postgres://localhost/orders', REDIS_URL: 'redis://localhost:6379' };

describe('loadConfig', () => {
  it('has a default for everything but the services', () => {
    const config = loadConfig(REQUIRED, 'api');
    expect(config).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 8000,
      corsOrigins: [],
      cache: { url: 'redis://localhost:6379', ttlSeconds: 300 },
      queue: { url: 'redis://localhost:6379/1' },
      orders: { locking: 'pessimistic', processingDelayMs: 5_000 },
      worker: { concurrency: 50, heartbeatFile: undefined },
      dashboard: { port: 5555, user: undefined, password: undefined },
    });
  });

  it('keeps credentials and options of REDIS_URL for the queue', () => {
    const { queue } = loadConfig({ ...REQUIRED, REDIS_URL: 'rediss://user:secret@cache:6380/0?family=6' }, 'api');
    expect(queue.url).toBe('rediss://user:secret@cache:6380/1?family=6');
  });

  it('names every problem at once', () => {
    const environment = {
      REDIS_URL: 'http://localhost',
      PORT: '80a',
      CACHE_TTL: '0',
      WORKER_CONCURRENCY: '-1',
      ORDER_LOCKING: 'hopeful',
      DASHBOARD_USER: 'owner',
    };
    expect(() => loadConfig(environment, 'api')).toThrow(ConfigError);
    try {
      loadConfig(environment, 'api');
    } catch (error) {
      expect(error instanceof ConfigError && error.problems).toEqual([
        'PORT must be a whole number from 0 to 65535, not "80a"',
        'REDIS_URL must be a redis:// URL',
        'DATABASE_URL is missing: set it to a postgres:// URL',
        'CACHE_TTL must be a whole number from 1 to 86400, not "0"',
        'ORDER_LOCKING must be one of pessimistic, optimistic, not "hopeful"',
        'WORKER_CONCURRENCY must be a whole number from 1 to 10000, not "-1"',
        'DASHBOARD_USER and DASHBOARD_PASSWORD go together: set both or neither',
      ]);
    }
  });

  it('does not print secrets of a wrong URL', () => {
    expect(() => loadConfig({ ...REQUIRED, DATABASE_URL: 'mysql://root:secret@db/orders' }, 'api')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });

  it('takes an empty variable for an absent one', () => {
    expect(loadConfig({ ...REQUIRED, PORT: ' ', CORS_ORIGINS: '' }, 'api')).toMatchObject({
      port: 8000,
      corsOrigins: [],
    });
  });

  it('keeps the queue out of the database of the cache', () => {
    const shared = { ...REQUIRED, REDIS_URL: 'redis://localhost:6379/1' };
    expect(() => loadConfig(shared, 'api')).toThrow(/QUEUE_REDIS_URL must not be the database of REDIS_URL/);
  });

  it.each([
    ['redis://h', 'redis://h/0'],
    ['redis://h/1', 'redis://H:6379/1/'],
    ['redis://h:6379/2', 'rediss://user:password@h/2'],
    ['redis://localhost/3', 'redis://127.0.0.1/3'],
    ['redis://[::1]', 'redis://localhost/0'],
    ['redis://h?db=4', 'redis://h/4'],
    ['redis://h./5', 'redis://h/05'],
  ])('takes %s and %s for the one database they are', (REDIS_URL, QUEUE_REDIS_URL) => {
    const shared = { ...REQUIRED, REDIS_URL, QUEUE_REDIS_URL };
    expect(() => loadConfig(shared, 'api')).toThrow(/QUEUE_REDIS_URL must not be the database of REDIS_URL/);
  });

  it.each([
    ['redis://h', 'redis://h/1'],
    ['redis://h', 'redis://h:6380'],
    ['redis://h', 'redis://i'],
  ])('takes %s and %s for two', (REDIS_URL, QUEUE_REDIS_URL) => {
    expect(() => loadConfig({ ...REQUIRED, REDIS_URL, QUEUE_REDIS_URL }, 'api')).not.toThrow();
  });

  it('wants no database for the dashboard', () => {
    expect(() => loadConfig({ REDIS_URL: 'redis://h' }, 'dashboard')).not.toThrow();
    expect(() => loadConfig({ REDIS_URL: 'redis://h' }, 'worker')).toThrow(/DATABASE_URL is missing/);
  });

  it('reads a secret from a file, and tells when that cannot be', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'secret-')), 'url');
    writeFileSync(file, 'postgres://u:p@h/orders\n');
    const variables = { REDIS_URL: 'redis://h', DATABASE_URL_FILE: file };
    expect(loadConfig(variables, 'api').database.url).toBe('postgres://u:p@h/orders');
    expect(() => loadConfig({ ...variables, DATABASE_URL: 'postgres://h/x' }, 'api')).toThrow(/must not both be set/);
    expect(() => loadConfig({ ...variables, DATABASE_URL_FILE: `${file}.none` }, 'api')).toThrow(
      /DATABASE_URL_FILE cannot be read/,
    );
  });

  it('refuses passwords of the example in production', () => {
    const variables = {
      REDIS_URL: 'redis://:change-me-redis@h',
      DATABASE_URL: 'postgres://orders:change-me-postgres@h/orders',
    };
    expect(() => loadConfig({ ...variables, NODE_ENV: 'production' }, 'api')).toThrow(
      /DATABASE_URL has a password.*\n.*REDIS_URL has a password/,
    );
    expect(() => loadConfig(variables, 'api')).not.toThrow();
  });

  it('refuses settings of a session in DATABASE_URL, which would replace those of this system', () => {
    const DATABASE_URL = 'postgres://h/orders?options=-c%20search_path%3Dshop';
    expect(() => loadConfig({ DATABASE_URL, REDIS_URL: 'redis://h' }, 'api')).toThrow(/must not have "options"/);
  });

  it('takes plug-ins from PLUGINS and from arguments, each once', () => {
    const environment = { DATABASE_URL: 'postgres://h/orders', REDIS_URL: 'redis://h', PLUGINS: 'a, ./b.js' };
    expect(loadConfig(environment, 'worker', ['./b.js', 'with, comma.js']).plugins).toEqual([
      'a',
      './b.js',
      'with, comma.js',
    ]);
  });
});
