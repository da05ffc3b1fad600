/** `npm test [Jest's arguments]`: brings up PostgreSQL and Redis, migrates a template database, and runs every test. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { buildIfChanged } from './build.ts';
import { MIGRATE } from './commands.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { searchLogs } from './leaks.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Durability against a power cut is of no use to a test; all else is as in production. */
const SETTINGS = { fsync: 'off', max_connections: '400' };
/** Of a line of a log. */
const MAX_SHOWN = 300;
/** Copies of all that processes of the run log. */
const KEEP_OUTPUT = path.join(ROOT, 'test/support/keep-output.js');
const TEMPLATE = `orders_test_${process.pid}`;

/** What Jest says of a run, as far as it is read. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { assertionResults: { fullName: string; status: string }[] }[];
}

const directory = await createTemporaryFolder('test');
const aborter = new AbortController();
let ending: Promise<void> | undefined;
const cleanUps: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
const HOOKS = {
  signal: aborter.signal,
  onSpawn: (_pid: number, stop: () => Promise<void>) => void cleanUps.unshift(stop),
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(1));

try {
  await end(await runAll());
} catch (error) {
  console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
  await end(1);
}

async function runAll(): Promise<number> {
  const [databaseUrl, redisUrl] = await Promise.all([
    providePostgres(),
    provideRedis(),
    buildIfChanged(ROOT, (program) => run(program, process.env)),
  ]);
  const template = new URL(databaseUrl);
  template.pathname = `/${TEMPLATE}`;
  // The application is tested with the privileges that it has in production.
  const application = new URL(template);
  application.username = `${TEMPLATE}_application`;
  application.password = randomBytes(12).toString('hex');
  await administer(databaseUrl, `CREATE ROLE ${application.username} LOGIN PASSWORD '${application.password}'`);
  await administer(databaseUrl, `CREATE DATABASE ${TEMPLATE}`);
  if (process.env.DATABASE_URL) {
    cleanUps.unshift(() => administer(databaseUrl, `DROP ROLE ${application.username}`));
    cleanUps.unshift(() => administer(databaseUrl, `DROP DATABASE ${TEMPLATE}`));
  }
  await run(MIGRATE, { ...process.env, DATABASE_OWNER_URL: template.href, DATABASE_URL: application.href });
  console.log('✓ PostgreSQL, Redis, the build and the template database are there');
  return runJest({
    TEST_TEMPLATE_URL: template.href,
    TEST_APPLICATION_URL: application.href,
    TEST_REDIS_URL: redisUrl,
  });
}

async function providePostgres(): Promise<string> {
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL;
  const { url } = await startPostgres({ directory: path.join(directory, 'postgres'), settings: SETTINGS, ...HOOKS });
  return url;
}

async function provideRedis(): Promise<string> {
  if (process.env.REDIS_URL) return process.env.REDIS_URL;
  const { url } = await startRedis({ directory: path.join(directory, 'redis'), onProgress: console.log, ...HOOKS });
  return url;
}

async function runJest(variables: Record<string, string>): Promise<number> {
  const report = path.join(directory, 'report.json');
  const args = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const logs = path.join(directory, 'logs');
  await mkdir(logs);
  const options = `${process.env.NODE_OPTIONS ?? ''} --import ${pathToFileURL(KEEP_OUTPUT).href}`;
  const env = { ...process.env, ...variables, NODE_ENV: 'test', NODE_OPTIONS: options, TEST_LOGS: logs };
  const code = await start([...args, '--json', `--outputFile=${report}`, ...process.argv.slice(2)], env, 'inherit');
  const text = await readFile(report, 'utf8').catch(() => undefined);
  const leaks = await showLeaks(logs);
  if (text !== undefined) {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(text) as Report;
    const skipped = testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'pending'),
    );
    // Those that a pattern on the command line left out were left out on purpose.
    const told = process.argv.slice(2).some((argument) => /^(-t|--testNamePattern)/.test(argument)) ? [] : skipped;
    for (const { fullName } of told) console.log(`skipped: ${fullName}`);
    console.log(`${numPassedTests} passed, ${numFailedTests + leaks} failed`);
  }
  return leaks > 0 ? 1 : code;
}

/** Searches all logs of the run for secrets; gives in how many lines there is one. */
async function showLeaks(logs: string): Promise<number> {
  const servers = [path.join(directory, 'postgres/postgres.log'), path.join(directory, 'redis/redis.log')];
  const { lines, secrets, leaks } = await searchLogs(logs, servers);
  for (const { what, line } of leaks) console.error(`✗ A log holds ${what}: ${line.slice(0, MAX_SHOWN)}`);
  if (leaks.length === 0) console.log(`✓ ${lines} lines of logs hold no secret, and none of ${secrets} of the tests`);
  return leaks.length;
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  if ((await start(args, env, 'pipe')) !== 0) throw new Error(`${args.join(' ')} failed`);
}

/** Runs a program of Node.js; when it is piped its output is shown only if it fails. */
async function start(args: readonly string[], env: NodeJS.ProcessEnv, output: 'inherit' | 'pipe'): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env,
    signal: aborter.signal,
    stdio: ['ignore', output, output],
  });
  child.on('error', () => undefined);
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)));
  if (code !== 0 && output === 'pipe') console.error(Buffer.concat(chunks).toString());
  return code;
}

async function administer(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

/** Once, however often it is asked for: a signal ends Jest, and Jest's end asks again. */
async function end(code: number): Promise<void> {
  ending ??= (async () => {
    aborter.abort();
    for (const cleanUp of cleanUps.splice(0)) await cleanUp().catch(console.error);
    process.exit(code);
  })();
  await ending;
}
