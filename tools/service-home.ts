/**
 * Where PostgreSQL and Redis keep what they keep, and who runs them. The folder of a service belongs to who starts it, with its
 * password and its log; `home` in it belongs to who runs it, with its data. Started by root, a service runs as another user, and root
 * writes nothing in that one's folder.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** For folders that the user of a service cannot enter, for instance in `/root`. */
const ELSEWHERE = '/var/lib/order-system';

/** Whom a service runs as; nothing is said when it runs as the one who starts it. */
export interface Account {
  uid?: number;
  gid?: number;
}

/** The first of the users that there is, for root; anybody else runs a service in person. */
export async function findAccount(users: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  for (const user of users) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => execute('id', [flag, user]))).catch(() => undefined);
    if (ids !== undefined) return { uid: Number(ids[0]?.stdout), gid: Number(ids[1]?.stdout) };
  }
  throw new Error(`A service does not run as root, and there is no user ${users.join(' or ')} to run it as`);
}

/**
 * The folder of the account in `directory`, or one elsewhere that a link remembers when the account cannot get there. Takes in what an
 * earlier version has kept in `directory` itself.
 *
 * @param kept the names of the files and folders of the service.
 */
export async function findHome(directory: string, account: Account, kept: readonly string[]): Promise<string> {
  await mkdir(directory, { recursive: true });
  const { uid, gid = uid } = account;
  // Whom root starts it for has to get through, and cannot look around.
  await chmod(directory, uid === undefined ? 0o700 : 0o711);
  if (uid !== undefined) await chown(directory, 0, 0);
  const link = path.join(directory, 'home');
  const home = (await knownHome(link, account)) ?? (await makeHome(directory, link, account));
  const isNew = !existsSync(home);
  const old = kept.filter((name) => existsSync(path.join(directory, name)) && !existsSync(path.join(home, name)));
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
  for (const name of old) await move(path.join(directory, name), path.join(home, name));
  if (uid !== undefined && gid !== undefined && (isNew || old.length > 0 || (await lstat(home)).uid !== uid)) {
    await execute('chown', ['-R', '-h', `${uid}:${gid}`, home]);
  }
  return home;
}

/** Where the link leads, if it is one. Root follows only a link of its own: an earlier version let the user of the service write here. */
async function knownHome(link: string, { uid }: Account): Promise<string | undefined> {
  const target = await readlink(link).catch(() => undefined);
  if (target === undefined || uid === undefined) return target;
  if ((await lstat(link)).uid === 0 && path.dirname(target) === ELSEWHERE) return target;
  throw new Error(`${link} is a link to ${target} that this system has not made: remove it`);
}

async function makeHome(directory: string, link: string, account: Account): Promise<string> {
  if (account.uid === undefined || isReachable(directory)) return link;
  await mkdir(ELSEWHERE, { recursive: true, mode: 0o755 });
  const home = await mkdtemp(path.join(ELSEWHERE, `${path.basename(directory)}-`));
  await symlink(home, link);
  return home;
}

/** Onto another disk as well. */
async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async () => {
    const unfinished = `${to}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await cp(from, unfinished, { recursive: true, verbatimSymlinks: true });
    await rename(unfinished, to);
    await rm(from, { recursive: true });
  });
}

/** Whether anybody may enter every folder on the way. */
function isReachable(folder: string): boolean {
  const parent = path.dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isReachable(parent));
}

/** Opens the log of a service, for its starter alone, and never through a link that somebody has put there. */
export function openLog(file: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  return openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
}

/** The password in a file, which is made when it is not there. */
export function passwordIn(file: string): string {
  const { O_RDONLY, O_NOFOLLOW } = constants;
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600, flag: 'wx' });
  const descriptor = openSync(file, O_RDONLY | O_NOFOLLOW);
  try {
    return readFileSync(descriptor, 'utf8').trim();
  } finally {
    closeSync(descriptor);
  }
}

/** Removes what a start that was broken off has left in a folder. */
export async function removeUnfinished(file: string): Promise<void> {
  const folder = path.dirname(file);
  const left = (await readdir(folder)).filter((name) => name.startsWith(`${path.basename(file)}.unfinished`));
  await Promise.all(left.map((name) => rm(path.join(folder, name), { recursive: true, force: true })));
}

interface Copied {
  original: string;
  name: string;
  home: string;
}

/** A file or folder of programs where the account can get at it: the original, or a copy beside its home, in a folder of root's own. */
export async function copyFor(account: Account, { original, name, home }: Copied): Promise<string> {
  if (account.uid === undefined || isReachable(original)) return original;
  const copy = path.join(path.dirname(home), name);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.unfinished-${process.pid}`;
  await cp(original, unfinished, { recursive: true, verbatimSymlinks: true });
  // Another start may have been faster.
  await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
  return copy;
}
