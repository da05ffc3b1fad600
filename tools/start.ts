/** `npm start`: everything on this machine, from nothing to a curl line, and back to nothing with one Ctrl-C. */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildIfChanged } from './build.ts';
import { checkVariables } from './check-variables.ts';
import { MAKE_ROLES, MIGRATE } from './commands.ts';
import { databaseUrls } from './database-urls.ts';
import { environmentFileOf } from './environment-file.ts';
import { LogLines } from './log-lines.ts';
import { metricsPorts, metricsVariable } from './metrics-ports.ts';
import { pluginFlags } from './plugin-flags.ts';
import { startPostgres } from './postgres.ts';
import { freePort, isOk, nodeFlagsOf, requirePort, waitUntil } from './processes.ts';
import { startRedis } from './redis.ts';
import { runProgram } from './run-program.ts';
import { RunRecord } from './run-record.ts';
import { SupervisedRole } from './supervised-role.ts';
import { welcome } from './welcome.ts';

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
/** For the commands of this system, as long as it runs. */
const ENVIRONMENT_FILE = path.join(DATA, 'environment');

const startedAt = Date.now();
const record = new RunRecord(path.join(DATA, 'run.json'));
const given: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
const environment = { HOST: '127.0.0.1', PORT: '8000', DASHBOARD_PORT: '5555', ...given };
for (const port of ['PORT', 'DASHBOARD_PORT'] as const) {
  if (environment[port] === '0') environment[port] = String(await freePort());
}
const host = environment.HOST.includes(':') ? `[${environment.HOST}]` : environment.HOST;
const address = `http://${host}:${environment.PORT}`;
const dashboardAddress = `http://${host}:${environment.DASHBOARD_PORT}`;
/** In a terminal, each purchase and each end of an order has its line, unless `ACCESS_LOG` says otherwise. */
const showsOrders = process.stdout.isTTY && given.ACCESS_LOG === undefined;
const lines = new LogLines({ write: (line) => console.log(line), colorize: process.stdout.isTTY, showsOrders });
const roles: SupervisedRole[] = [];
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
  await build();
  await checkVariables(environment);
  await requirePort('PORT', environment);
  await requirePort('DASHBOARD_PORT', environment);

  const [database, redisUrl] = await Promise.all([providePostgres(), provideRedis()]);
  const all: NodeJS.ProcessEnv = {
    // No load balancer has to see that it stops.
    SHUTDOWN_DELAY_MS: '0',
    SHUTDOWN_TIMEOUT_MS: String(ROLE_STOP_TIMEOUT_MS),
    LOG_FORMAT: 'json',
    ...(showsOrders ? { ACCESS_LOG: 'all' } : {}),
    ...environment,
    ...database,
    REDIS_URL: redisUrl,
  };
  if (all.DATABASE_ADMIN_URL) await runProgram(MAKE_ROLES, all, aborter.signal);
  await runProgram(MIGRATE, all, aborter.signal);
  say('the database is migrated');
  // No process of the system needs them.
  const env = { ...all, DATABASE_ADMIN_URL: '', DATABASE_OWNER_URL: '', DATABASE_READER_URL: '' };

  if (isStopping()) return;
  const metrics = await startRoles(env);
  const isUp = await waitUntil(
    async () =>
      isStopping() || ((await isOk(`${address}/api/v1/health/ready`)) && (await isOk(`${dashboardAddress}/health`))),
    READY_TIMEOUT_MS,
  );
  if (isStopping()) return;
  if (!isUp) throw new Error('The API or the dashboard did not come up in time; the lines above say why');
  for (const role of roles) role.markUp();
  await writeEnvironment(all);
  const metricsAddresses = Object.values(metrics).map((port) => `http://${host}:${port}/metrics`);
  const databaseUrlFile = path.relative(ROOT, DATABASE_URL_FILE);
  console.log(welcome({ address, dashboardAddress, metricsAddresses, auth: given.AUTH, databaseUrlFile }));
}

/** What the commands of this system, and the developer's own tools, are told. */
async function writeEnvironment(all: NodeJS.ProcessEnv): Promise<void> {
  await writeFile(DATABASE_URL_FILE, all.DATABASE_URL ?? '', { mode: 0o600 });
  await writeFile(ENVIRONMENT_FILE, environmentFileOf({ ...all, API_URL: address }), { mode: 0o600 });
}

async function startRoles(env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const { DASHBOARD_PUBLIC_URL: PUBLIC_URL = '' } = given;
  const metrics = await metricsPorts(Object.keys(ROLE_FLAGS), given.METRICS_PORT);
  for (const [role, flags] of Object.entries(ROLE_FLAGS)) {
    const own = { ...env, METRICS_PORT: metricsVariable(metrics[role]) };
    startRole(role, flags, { ...own, ...(role === 'dashboard' ? { PUBLIC_URL } : { DEMO: demo() }) });
  }
  return metrics;
}

/** A flash sale sells: in a database of this system's own, or where DEMO is on. */
function demo(): string {
  return (given.DEMO ?? (given.DATABASE_URL ? 'off' : 'on')) === 'on' ? 'supervised' : 'off';
}

/** The variables that lead to the database. One that is given has the roles that it has. */
async function providePostgres(): Promise<Record<string, string>> {
  if (given.DATABASE_URL) return { DATABASE_URL: given.DATABASE_URL };
  const postgres = await startPostgres({ directory: path.join(DATA, 'postgres'), ...hooksOf('PostgreSQL') });
  say('PostgreSQL is up');
  return databaseUrls(postgres.url);
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
  await buildIfChanged(ROOT, (program) => runProgram(program, process.env, aborter.signal));
  say('the code is compiled');
}

function startRole(name: string, flags: readonly string[], env: NodeJS.ProcessEnv): void {
  const role = new SupervisedRole({
    name,
    args: [...nodeFlagsOf(name, ROOT), path.join(ROOT, 'dist/src/main.js'), ...flags],
    cwd: ROOT,
    env,
    onLine: (role, line) => lines.show(role, line),
    onSpawn: (pid) => record.add(name, pid),
    ...(name === 'api' ? { onKillRequest: killRole } : {}),
    onGivenUp: (reason) => {
      if (stopping === undefined) console.error(`\n✗ ${reason}; stopping the rest`);
      void stop(1);
    },
  });
  roles.push(role);
}

function killRole(name: string): void {
  say(`the ${name} is killed for the demo`);
  roles.find((role) => role.name === name)?.kill();
}

/** Roles first, then what they stand on. */
async function stop(exitCode: number): Promise<void> {
  stopping ??= (async () => {
    if (services.length > 0 || roles.length > 0) console.log('\nStopping …');
    aborter.abort();
    await Promise.all(roles.map((role) => role.end(ROLE_STOP_TIMEOUT_MS + ROLE_CLOSE_MS)));
    await Promise.all(services.map((end) => end()));
    record.remove();
    // The ports may be others the next time.
    for (const file of roles.length > 0 ? [ENVIRONMENT_FILE, DATABASE_URL_FILE] : []) await rm(file, { force: true });
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

function announce(step: string): void {
  console.log(`… ${step}`);
}

function say(step: string): void {
  console.log(`✓ ${step} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
}
