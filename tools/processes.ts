import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 50;

/**
 * The flags of Node.js with which a role, `api`, `worker` or `dashboard`, runs in production, as the `package.json` of its checkout
 * has them: for stacks of the sources, and for the heap.
 */
export function nodeFlagsOf(role: string, checkout: string): string[] {
  const script = role === 'api' ? 'start:prod' : `start:${role}`;
  const { scripts } = JSON.parse(readFileSync(path.join(checkout, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, ...args] = scripts[script]?.split(' ') ?? [];
  const end = args.findIndex((arg) => !arg.startsWith('-'));
  if (end === -1) throw new Error(`package.json of ${checkout} does not say what ${script} runs`);
  return args.slice(0, end);
}

/** Whether a process with this id runs. One that has ended and that nobody has waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'));
}

/** Whether a process is stopped as a whole, by SIGSTOP. */
export function isStopped(pid: number): boolean {
  try {
    if (existsSync('/proc/self')) return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');
  } catch {
    return false;
  }
}

/** The command line of a process, or an empty text when it cannot be told. */
export function commandOf(pid: number): string {
  try {
    const file = `/proc/${pid}/cmdline`;
    if (existsSync('/proc/self')) return readFileSync(file, 'utf8').replaceAll('\0', ' ').trim();
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** When a process started, in the system's own terms: with the id it names one process for good. Empty when there is none. */
export function startTimeOf(pid: number): string {
  try {
    if (!existsSync('/proc/self'))
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    // The 22nd field; the second, the program's name, may hold spaces and ends with the last parenthesis.
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? ''
    );
  } catch {
    return '';
  }
}

/** Ends a process with a signal it can act on, and with SIGKILL when it has not ended in time. */
export async function endProcess(pid: number, signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, signal);
  if (await waitUntil(() => !isAlive(pid), timeoutMs)) return;
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => !isAlive(pid), timeoutMs);
}

/** Polls until `condition` holds; `false` when it does not in time. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) return false;
    await delay(POLL_INTERVAL_MS);
  }
  return true;
}

/** The id of a child that was started. */
export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  return child.pid;
}

/**
 * `preferred` when nothing listens there, else another one on which nothing listens. Both are below those that the system gives
 * to connections (32 768 and above), which could take it before somebody listens there.
 */
export async function freePort(preferred = randomPort()): Promise<number> {
  for (let port = preferred; ; port = randomPort()) {
    const bound = await tryPort(port);
    if (bound !== undefined) return bound;
  }
}

function randomPort(): number {
  return randomInt(20_000, 32_000);
}

/** Whether nothing listens on a port of this host. */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  return (await tryPort(port, host)) !== undefined;
}

/** @throws when another program listens on the port that a variable names, with a way out. */
export async function requirePort(
  variable: 'PORT' | 'DASHBOARD_PORT',
  environment: Readonly<Record<'HOST' | 'PORT' | 'DASHBOARD_PORT', string>>,
): Promise<void> {
  const port = Number(environment[variable]);
  if (await isPortFree(port, environment.HOST)) return;
  throw new Error(
    `Port ${port} is taken by another program. Stop that one, or choose another port: ${variable}=${port + 1} npm start`,
  );
}

async function tryPort(port: number, host = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' ? address?.port : undefined;
      server.close(() => resolve(bound));
    });
  });
}

/** Whether a server answers a request with a success. */
export async function isOk(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
