/** What the benchmark runs on: a PostgreSQL and a Redis of its own, and the processes that are measured. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { buildIfChanged } from '../tools/build.ts';
import { MIGRATE } from '../tools/commands.ts';
import { startPostgres } from '../tools/postgres.ts';
import { endProcess, freePort, nodeFlagsOf, pidOf, waitUntil } from '../tools/processes.ts';
import { canInstall, findProgram, installFromDebian } from '../tools/programs.ts';
import { startRedis } from '../tools/redis.ts';
import { createTemporaryFolder } from '../tools/temporary-folder.ts';

const execute = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '..');
const ENTRY = 'dist/src/main.js';
const MAIN = path.join(ROOT, ENTRY);
const PEER = path.join(ROOT, '.data/bench/build/bench/peer/main.js');
/** What makes the load, and the Debian packages that bring it. */
const PROGRAMS = { wrk: 'wrk', pgbench: 'postgresql' };
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
/** As a small server has it; `fsync` and `synchronous_commit` stay on, which is PostgreSQL's own default. */
const SETTINGS = { shared_buffers: '512MB', max_wal_size: '4GB', max_connections: '400', fsync: 'on' };

export interface Process {
  url: string;
  pid: number;
  stop: () => Promise<void>;
}

/** Everything that was started, ended in reverse. */
const cleanUps: (() => Promise<unknown>)[] = [];

export interface Stage {
  databaseUrl: string;
  /** The same tables for the peers, without a trigger: they keep no ledger, no history and no counts. */
  textbook: { url: string; sql: pg.Pool };
  redisUrl: string;
  /** Its database of the queue. */
  queueUrl: string;
  sql: pg.Pool;
}

/** Compiles the system and its peer, and brings up what they stand on. */
export async function setUp(): Promise<Stage> {
  const directory = await createTemporaryFolder('bench');
  cleanUps.push(() => rm(directory, { recursive: true, force: true }));
  const onSpawn = (_pid: number, stop: () => Promise<void>) => void cleanUps.push(stop);
  const [postgres, redis] = await Promise.all([
    startPostgres({ directory: path.join(directory, 'postgres'), settings: SETTINGS, onSpawn }),
    startRedis({ directory: path.join(directory, 'redis'), onSpawn }),
    buildIfChanged(ROOT, run),
    run(['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json']),
  ]);
  await migrate(postgres.url);
  const sql = openPool(postgres.url);
  const queueUrl = redis.url.replace(/0$/, '1');
  return {
    databaseUrl: postgres.url,
    textbook: await createTextbook(postgres.url, sql),
    redisUrl: redis.url,
    queueUrl,
    sql,
  };
}

function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 4 });
  // A connection that is being closed may still hear that PostgreSQL stops; without a listener that would end the process.
  pool.on('error', () => undefined);
  cleanUps.push(() => pool.end());
  return pool;
}

async function createTextbook(serverUrl: string, server: pg.Pool): Promise<Stage['textbook']> {
  await server.query('CREATE DATABASE textbook');
  const { href: url } = Object.assign(new URL(serverUrl), { pathname: '/textbook' });
  await migrate(url);
  const sql = openPool(url);
  for (const table of ['products', 'orders']) await sql.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  return { url, sql };
}

export async function tearDown(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp().catch(console.error);
}

export async function migrate(databaseUrl: string): Promise<void> {
  await run(MIGRATE, {
    DATABASE_URL: databaseUrl,
  });
}

/** An API process of the build, of this checkout or another one, as production runs it. */
export async function startApi(
  stage: Stage,
  variables: Record<string, string> = {},
  checkout = ROOT,
): Promise<Process> {
  const args = [...flagsOf('api', checkout), path.resolve(checkout, ENTRY)];
  return startServer(args, environmentOf(stage, variables), '/api/v1/health');
}

export async function startPeer(stage: Stage): Promise<Process> {
  return startServer(
    [...flagsOf('api', ROOT), PEER],
    environmentOf(stage, { DATABASE_URL: stage.textbook.url }),
    '/api/v1/empty',
  );
}

/** A key that may do everything. */
export async function makeKey(stage: Stage): Promise<string> {
  const args = [MAIN, '--keys', 'create', '--name', 'bench', '--role', 'admin'];
  const { stdout } = await execute(process.execPath, args, {
    env: { PATH: process.env.PATH, ...environmentOf(stage, {}) },
  });
  return stdout.trim();
}

/** The audit of a database, by a process of its own; the line that it prints. */
export async function audit(stage: Stage): Promise<string> {
  const { stdout } = await execute(process.execPath, [MAIN, '--audit'], {
    env: { PATH: process.env.PATH, ...environmentOf(stage, {}) },
  });
  return stdout.trim();
}

/** A worker whose external call takes no time. */
export function startWorker(
  stage: Stage,
  variables: Record<string, string> = {},
  checkout = ROOT,
): { pid: number; stop: () => Promise<void> } {
  return startProcess(
    [...flagsOf('worker', checkout), path.resolve(checkout, ENTRY), '--worker'],
    environmentOf(stage, { ORDER_PROCESSING_DELAY_MS: '0', ...variables }),
  );
}

function environmentOf({ databaseUrl, redisUrl }: Stage, variables: Record<string, string>): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    METRICS_PORT: 'off',
    ...variables,
  };
}

async function startServer(
  args: readonly string[],
  environment: Record<string, string>,
  probe: string,
): Promise<Process> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const started = startProcess(args, { ...environment, PORT: String(port) });
  const isUp = () =>
    fetch(`${url}${probe}`).then(
      ({ ok }) => ok,
      () => false,
    );
  if (!(await waitUntil(isUp, START_TIMEOUT_MS))) throw new Error(`${args.join(' ')} did not come up`);
  return { url, ...started };
}

/** Those of production, and for a profile those of the environment. */
function flagsOf(role: 'api' | 'worker', checkout: string): string[] {
  return [...nodeFlagsOf(role, checkout), ...(process.env.BENCH_NODE_FLAGS?.split(' ') ?? [])];
}

function startProcess(
  args: readonly string[],
  environment: Record<string, string>,
): { pid: number; stop: () => Promise<void> } {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const pid = pidOf(child);
  const stop = () => endProcess(pid, 'SIGTERM', STOP_TIMEOUT_MS);
  cleanUps.push(stop);
  return { pid, stop };
}

async function run(args: readonly string[], environment: Record<string, string> = {}): Promise<void> {
  await execute(process.execPath, args as string[], { cwd: ROOT, env: { ...process.env, ...environment } }).catch(
    (error: unknown) => {
      throw new Error(`${args.join(' ')} failed:\n${String((error as { stdout?: string }).stdout)}\n${String(error)}`);
    },
  );
}

/** Finds the programs that make the load, or installs them (Debian, as root). */
export async function requirePrograms(say: (line: string) => void): Promise<void> {
  for (const [program, debianPackage] of Object.entries(PROGRAMS)) {
    if (findProgram(program) !== undefined) continue;
    if (canInstall()) say(`installing the Debian package ${debianPackage} for ${program}`);
    if (!canInstall() || (await installFromDebian(debianPackage, program)) === undefined) {
      throw new Error(`${program} is needed and not there: install it (Debian: apt-get install ${debianPackage})`);
    }
  }
}

/** Memory of a process that is in use, in MiB. */
export async function residentMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}
