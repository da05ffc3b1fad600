import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { buildIfChanged } from '../../tools/build.ts';
import { freePort, isAlive, pidOf, waitUntil } from '../../tools/processes.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres-server.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { type OwnRedis, redisThrough, startOwnRedis } from '../support/redis-server.ts';
import type { Bug } from './preload.ts';
import { type Provider, startProvider } from './provider.ts';
import { BASE_ENVIRONMENT } from '../support/base-environment.ts';

const execute = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
const MAIN = path.join(ROOT, 'dist/src/main.js');
const PRELOAD = path.join(import.meta.dirname, 'preload.ts');
const PLUGIN = path.join(ROOT, 'test/simulator/plugin.ts');
const START_TIMEOUT_MS = 90_000;
const RESTART_DELAY_MS = 200;
/** What is committed is on disk because the commit waited for that, not because somebody came by a moment later. */
const SETTINGS = { max_connections: '200', wal_writer_delay: '10s' };
const SET_LIMITS = path.resolve(import.meta.dirname, '../support/relaxed-process.ts');
/** A job that ends its workers is a dead letter within seconds, and an event that its subscriber failed for is soon tried again. */
const LIMITS = { jobLockMs: 1_500, stalledCheckMs: 500, subscriberBackoffMs: 20, subscriptionHoldMs: 3_000 };
/** Everything that waits waits less, so that a minute holds many faults. */
const HASTE = {
  SWEEP_INTERVAL_MS: '500',
  SWEEP_AFTER_MS: '3000',
  ORDER_PROCESSING_DELAY_MS: '0',
  FULFILMENT_TIMEOUT_MS: '1500',
  ORDER_ATTEMPTS: '4',
  ORDER_BACKOFF_MS: '100',
  DATABASE_POOL_SIZE: '5',
};

/** A process of the system, started again whenever it ends, as a container would be. */
export interface Role {
  readonly name: string;
  /** Of an API. */
  readonly url: string;
  readonly metricsUrl: string;
  /** Sends a signal to the process and waits until another one has taken its place. */
  replace: (signal: NodeJS.Signals) => Promise<void>;
  stop: () => Promise<void>;
}

/** The system on servers of its own, with a proxy before each of them. */
export interface World {
  readonly directory: string;
  readonly postgres: OwnPostgres;
  readonly redis: OwnRedis;
  readonly proxies: Readonly<Record<'postgres' | 'redis', Proxy>>;
  readonly provider: Provider;
  readonly apis: readonly Role[];
  readonly workers: readonly Role[];
  /** Processes that ended though nobody ended them, after they were up. */
  readonly crashes: readonly string[];
  /** Past the proxy. */
  readonly sql: pg.Pool;
  /** Runs `npm run audit`; gives what it prints, and throws when it finds something. */
  audit: () => Promise<string>;
  /** Runs `npm run redrive`, and gives how many dead letters were dispatched again. */
  redrive: () => Promise<number>;
  /** Ends all of it; what the processes have logged stays in `directory` if it is to be kept. */
  close: (keep: boolean) => Promise<void>;
}

export async function createWorld({ seed, bug }: { seed: number; bug?: Bug }): Promise<World> {
  const directory = await createTemporaryFolder('simulator');
  await buildIfChanged(ROOT, async (program) => {
    await runNode(program, {});
  });
  const cleanUps: (() => Promise<unknown>)[] = [];
  const close = async (keep: boolean) => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp().catch(console.error);
    if (!keep) await rm(directory, { recursive: true, force: true });
  };
  try {
    const provider = await startProvider(seed);
    cleanUps.push(provider.close);
    const postgres = await startOwnPostgres({ settings: SETTINGS });
    cleanUps.push(postgres.stop);
    const redis = await startOwnRedis();
    cleanUps.push(redis.stop);
    const proxies = {
      postgres: await startProxy(portOf(postgres.url)),
      redis: await startProxy(portOf(redis.urls.REDIS_URL)),
    };
    cleanUps.push(proxies.postgres.close, proxies.redis.close);
    const variables = {
      ...HASTE,
      NODE_ENV: 'production',
      DATABASE_URL: Object.assign(new URL(postgres.url), { port: String(proxies.postgres.port) }).href,
      ...redisThrough(proxies.redis.port, redis.urls),
      SIMULATOR_PROVIDER: provider.url,
      TEST_LIMITS: JSON.stringify(LIMITS),
    };
    const crashes: string[] = [];
    const start = async (name: string, more: Record<string, string> = {}) => {
      const role = await startRole({ name, directory, variables: { ...variables, ...more }, crashes });
      cleanUps.push(role.stop);
      return role;
    };
    const apis = await Promise.all([
      start('api-1', { SIMULATOR_BUG: bug ?? '' }),
      // Both ways to sell, side by side; a bug of the one is in both.
      start('api-2', { SIMULATOR_BUG: bug ?? '', ORDER_LOCKING: bug === undefined ? 'optimistic' : 'pessimistic' }),
    ]);
    const workers = await Promise.all(['worker-1', 'worker-2'].map((name) => start(name)));
    const sql = new pg.Pool({ connectionString: postgres.url, max: 4 });
    // Also of a client that is in use.
    sql.on('connect', (client) => client.on('error', () => undefined)).on('error', () => undefined);
    cleanUps.push(() => sql.end());
    const audit = () => runNode([MAIN, '--audit'], { DATABASE_URL: postgres.url });
    const redrive = async () => {
      const said = await runNode([MAIN, '--redrive'], { DATABASE_URL: postgres.url, REDIS_URL: redis.urls.REDIS_URL });
      return Number(/^(\d+) orders were dispatched again$/m.exec(said)?.[1]);
    };
    return { directory, postgres, redis, proxies, provider, apis, workers, crashes, sql, audit, redrive, close };
  } catch (error) {
    await close(false);
    throw error;
  }
}

/** Characters of what a process has said on its standard error before it ended. */
const MAX_LAST_WORDS = 2_000;

interface RoleOptions {
  name: string;
  directory: string;
  variables: Record<string, string>;
  crashes: string[];
}

async function startRole({ name, directory, variables, crashes }: RoleOptions): Promise<Role> {
  const isApi = name.startsWith('api');
  const port = isApi ? await freePort() : 0;
  const url = `http://127.0.0.1:${port}/api/v1`;
  const metricsPort = await freePort();
  const log = path.join(directory, `${name}.log`);
  const args = [
    '--import',
    SET_LIMITS,
    '--import',
    PRELOAD,
    '--enable-source-maps',
    MAIN,
    ...(isApi ? [] : ['--worker', '--plugin', PLUGIN]),
  ];
  const env = {
    ...BASE_ENVIRONMENT,
    ...variables,
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: 'info',
  };
  let child: ChildProcess;
  let isWanted = true;
  let isOrdered = false;
  const begin = () => {
    let wasUp = false;
    let lastWords = '';
    let isPoisoned = false;
    isOrdered = false;
    child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        appendFileSync(log, chunk);
        if (stream === child.stderr) lastWords = `${lastWords}${chunk.toString()}`.slice(-MAX_LAST_WORDS);
        wasUp ||= chunk.includes(' is up');
        isPoisoned ||= chunk.includes('This order is poison');
      });
    }
    child.once('close', (code, signal) => {
      if (wasUp && !isOrdered && !isPoisoned) crashes.push(`${name} ended by itself: ${code ?? signal}\n${lastWords}`);
      if (isWanted) setTimeout(() => isWanted && begin(), RESTART_DELAY_MS);
    });
  };
  const isUp = () =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  begin();
  if (isApi && !(await waitUntil(isUp, START_TIMEOUT_MS))) throw new Error(`${name} did not come up`);
  const end = async (signal: NodeJS.Signals) => {
    const pid = pidOf(child);
    isOrdered = true;
    child.kill(signal);
    if (!(await waitUntil(() => !isAlive(pid), START_TIMEOUT_MS))) throw new Error(`${name} did not end on ${signal}`);
  };
  return {
    name,
    url,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    replace: async (signal) => {
      await end(signal);
      await delay(2 * RESTART_DELAY_MS);
      if (isApi && !(await waitUntil(isUp, START_TIMEOUT_MS))) throw new Error(`${name} did not come up again`);
    },
    stop: () => {
      isWanted = false;
      return end('SIGKILL');
    },
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

async function runNode(args: readonly string[], variables: Record<string, string>): Promise<string> {
  const env = { ...process.env, ...variables };
  const failed = (error: { stdout?: string; stderr?: string }) => {
    throw new Error(`${args.join(' ')} failed:\n${error.stdout}${error.stderr}`);
  };
  return (await execute(process.execPath, args as string[], { cwd: ROOT, env }).catch(failed)).stdout;
}
