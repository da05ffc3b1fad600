import { spawn } from 'node:child_process';
import path from 'node:path';
import { Redis } from 'ioredis';
import { endProcess, freePort, pidOf, waitUntil } from './processes.ts';
import { canInstall, findProgram, installFromDebian } from './programs.ts';
import { copyFor, findAccount, findHome, openLog, passwordIn } from './service-home.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;
const PREFERRED_PORT = 16_379;

export interface RedisOptions {
  /** A folder of its own; made when it is not there. */
  directory: string;
  port?: number;
  /** Further flags of `redis-server`. */
  flags?: readonly string[];
  /** Told before a step that takes a while. */
  onProgress?: (step: string) => void;
  /** Told of the server's process as soon as there is one, so that it can be ended while it still comes up. */
  onSpawn?: (pid: number, stop: () => Promise<void>) => void;
  /** Once aborted, nothing is started any more. */
  signal?: AbortSignal;
}

export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  stop: () => Promise<void>;
}

/**
 * Brings up a Redis on loopback that keeps what it is told: append-only, never evicting, behind a password. Started by root it runs as
 * another user.
 */
export async function startRedis({ directory, port, flags = [], ...hooks }: RedisOptions): Promise<RedisServer> {
  const program = await findRedisServer(hooks.onProgress);
  const account = await findAccount(['redis', 'nobody']);
  const home = await findHome(path.resolve(directory), account, ['appendonlydir', 'appendonly.aof']);
  const password = passwordIn(path.join(directory, 'password'));
  const chosen = port ?? (await freePort(PREFERRED_PORT));
  const url = `redis://:${password}@127.0.0.1:${chosen}/0`;
  const log = openLog(path.join(directory, 'redis.log'));
  hooks.signal?.throwIfAborted();
  const child = spawn(
    await copyFor(account, { original: program, name: path.basename(program), home }),
    // The first argument has it read its settings from the standard input: a password among the arguments is seen by everybody.
    ['-', '--port', String(chosen), '--bind', '127.0.0.1', '--dir', home, '--save', '']
      .concat(['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
      .concat(flags),
    { ...account, cwd: home, detached: true, stdio: ['pipe', log, log] },
  );
  child.on('error', () => undefined); // told by the missing process id
  child.stdin?.on('error', () => undefined).end(`requirepass ${password}\n`);
  const pid = pidOf(child);
  const stop = () => endProcess(pid, 'SIGTERM', STOP_TIMEOUT_MS);
  hooks.onSpawn?.(pid, stop);
  const isUp = await waitUntil(async () => child.exitCode !== null || (await answers(url)), START_TIMEOUT_MS);
  if (!isUp || child.exitCode !== null) {
    await stop();
    throw new Error(`Redis did not start; see ${path.join(directory, 'redis.log')}`);
  }
  return { url, port: chosen, pid, stop };
}

/** A `redis-server` of this machine, else one that is installed (Debian, as root), else one that is compiled. */
async function findRedisServer(onProgress: (step: string) => void = () => undefined): Promise<string> {
  const installed = findProgram('redis-server');
  if (installed !== undefined) return installed;
  if (canInstall()) {
    onProgress('installing the Debian package redis-server');
    const program = await installFromDebian('redis-server', 'redis-server');
    if (program !== undefined) return program;
  }
  onProgress('compiling Redis, which takes a minute or two');
  return compile().catch((error: unknown) => {
    throw new Error(
      'There is no Redis on this machine and none could be installed or compiled. Install one (Debian and Ubuntu: ' +
        '"apt-get install redis-server", macOS: "brew install redis") or set REDIS_URL to one that runs. ' +
        `The compiler said: ${String(error)}`,
    );
  });
}

async function compile(): Promise<string> {
  const { RedisBinary } = await import('redis-memory-server');
  return RedisBinary.getPath();
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return true;
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
