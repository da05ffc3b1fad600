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
        'QUEUE_REDIS_URL must be a redis:// URL',
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
