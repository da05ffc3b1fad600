/** `npm start`: everything on this machine, from nothing to a curl line, and back to nothing with one Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buildIfChanged } from './build.ts';
import { BUILD, MIGRATE } from './commands.ts';
import { pluginFlags } from './plugin-flags.ts';
import { startPostgres } from './postgres.ts';
import { endProcess, isPortFree, NODE_FLAGS, pidOf, waitUntil } from './processes.ts';
import { startRedis } from './redis.ts';
import { RunRecord } from './run-record.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const DATA = path.resolve(ROOT, process.env.DATA_DIR || '.data');
/** Roles get this long to finish, and PostgreSQL and Redis the rest of the ten seconds that a stop may take. */
const ROLE_STOP_TIMEOUT_MS = 5_000;
/** A role cuts itself off a second after its deadline; only then it is killed. */
const ROLE_CLOSE_MS = 1_500;
const READY_TIMEOUT_MS = 60_000;
const PARENT_CHECK_MS = 500;
const PLUGIN_FLAGS = pluginFlags();
const ROLE_FLAGS = { api: PLUGIN_FLAGS, worker: ['--worker', ...PLUGIN_FLAGS], dashboard: ['--dashboard'] };

const DATA_NAME = path.relative(ROOT, DATA);
/** For tools of the developer's: the password stays out of the terminal and its logs. */
const DATABASE_URL_FILE = path.join(DATA, 'database-url');

const startedAt = Date.now();
const record = new RunRecord(path.join(DATA, 'run.json'));
const given: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
const environment = { HOST: '127.0.0.1', PORT: '8000', DASHBOARD_PORT: '5555', ...given };
const host = environment.HOST.includes(':') ? `[${environment.HOST}]` : environment.HOST;
const address = `http://${host}:${environment.PORT}`;
const dashboardAddress = `http://${host}:${environment.DASHBOARD_PORT}`;
const roles: ChildProcess[] = [];
const services: (() => Promise<void>)[] = [];
/** Aborted by a stop: ends programs that run to their end, and keeps what is coming up from starting more. */
const aborter = new AbortController();
let stopping: Promise<void> | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
// Whoever read the lines is gone (npm start | head): there is nobody left to run this for.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => void stop(1));
watchParent();

try {
  await start();
} catch (error) {
  if (stopping === undefined) console.error(`\n✗ ${error instanceof Error ? error.message : String(error)}`);
  await stop(1);
}

async function start(): Promise<void> {
  const left = await record.recover();
  if (left.length > 0) say(`ended what an earlier run left behind: ${left.join(', ')}`);
  record.add('supervisor', process.pid);
  await requirePort('PORT', environment.PORT);
  await requirePort('DASHBOARD_PORT', environment.DASHBOARD_PORT);

  const [databaseUrl, redisUrl] = await Promise.all([providePostgres(), provideRedis(), build()]);
  const env = {
    SHUTDOWN_TIMEOUT_MS: String(ROLE_STOP_TIMEOUT_MS),
    ...environment,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
  };
  await run(MIGRATE, env);
  say('the database is migrated');

  if (isStopping()) return;
  for (const [role, flags] of Object.entries(ROLE_FLAGS)) startRole(role, flags, env);
  const isUp = await waitUntil(
    async () =>
      isStopping() || ((await isOk(`${address}/api/v1/health/ready`)) && (await isOk(`${dashboardAddress}/health`))),
    READY_TIMEOUT_MS,
  );
  if (isStopping()) return;
  if (!isUp) throw new Error('The API or the dashboard did not come up in time; the lines above say why');
  await writeFile(DATABASE_URL_FILE, databaseUrl, { mode: 0o600 });
  welcome();
}

async function requirePort(variable: string, port: string): Promise<void> {
  if (await isPortFree(Number(port), environment.HOST)) return;
  throw new Error(
    `Port ${port} is taken by another program. Stop that one, or choose another port: ${variable}=${Number(port) + 1} npm start`,
  );
}

async function providePostgres(): Promise<string> {
  if (given.DATABASE_URL) return given.DATABASE_URL;
  const postgres = await startPostgres({ directory: path.join(DATA, 'postgres'), ...hooksOf('PostgreSQL') });
  say('PostgreSQL is up');
  return postgres.url;
}

async function provideRedis(): Promise<string> {
  if (given.REDIS_URL) return given.REDIS_URL;
  const redis = await startRedis({ directory: path.join(DATA, 'redis'), onProgress: announce, ...hooksOf('Redis') });
  say('Redis is up');
  return redis.url;
}

/** Puts a service on the record the moment it has a process, whether or not it ever comes up. */
function hooksOf(name: string) {
  return {
    signal: aborter.signal,
    onSpawn: (pid: number, end: () => Promise<void>) => {
      record.add(name, pid);
      services.push(end);
    },
  };
}

async function build(): Promise<void> {
  await buildIfChanged(ROOT, () => run(BUILD, process.env));
  say('the code is compiled');
}

/** Runs a program of Node.js to its end, silent unless it fails. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env,
    signal: aborter.signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.on('error', () => undefined);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${args.join(' ')} failed:\n${output}`);
}

/** In a process group of its own, so that a Ctrl-C reaches it through `stop` and in order. */
function startRole(role: string, flags: readonly string[], env: NodeJS.ProcessEnv): void {
  const child = spawn(process.execPath, [...NODE_FLAGS, path.join(ROOT, 'dist/src/main.js'), ...flags], {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.on('error', () => undefined); // told by the missing process id
  record.add(role, pidOf(child));
  roles.push(child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => console.log(`${role.padEnd(9)} │ ${line}`));
  }
  child.once('exit', (code, signal) => {
    if (stopping === undefined)
      console.error(`\n✗ The ${role} ended by itself (${signal ?? `exit status ${code}`}); stopping the rest`);
    void stop(1);
  });
}

/** Roles first, then what they stand on. */
async function stop(exitCode: number): Promise<void> {
  stopping ??= (async () => {
    if (services.length > 0 || roles.length > 0) console.log('\nStopping …');
    aborter.abort();
    await Promise.all(roles.map((child) => endProcess(pidOf(child), 'SIGTERM', ROLE_STOP_TIMEOUT_MS + ROLE_CLOSE_MS)));
    await Promise.all(services.map((end) => end()));
    record.remove();
    if (services.length > 0 || roles.length > 0) console.log(`Stopped. The data stays in ${DATA_NAME}/`);
    process.exit(exitCode);
  })();
  await stopping;
}

/** npm passes signals on, but not when it is killed itself: then there is nobody left to run this for. */
function watchParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.env.npm_lifecycle_event === 'start' && process.ppid !== parent) void stop(1);
  }, PARENT_CHECK_MS).unref();
}

/** Asked after each wait, for a signal may have come meanwhile. */
function isStopping(): boolean {
  return stopping !== undefined;
}

async function isOk(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** A step that takes a while. */
function announce(step: string): void {
  console.log(`… ${step}`);
}

function say(step: string): void {
  console.log(`✓ ${step} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
}

function welcome(): void {
  console.log(`
The order system is up.

  API        ${address}/api/v1
  Swagger    ${address}/docs
  ReDoc      ${address}/redoc
  Dashboard  ${dashboardAddress}
  Database   psql "$(cat ${DATA_NAME}/database-url)"

Try it:
  curl -X POST ${address}/api/v1/products -H 'Content-Type: application/json' \\
    -d '{"name": "Mechanical keyboard", "price": 89.9, "stock": 10}'
  npm run seed      (a dozen products, from another terminal)

Ctrl-C ends it all.
`);
}
