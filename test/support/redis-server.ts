import { rm } from 'node:fs/promises';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { freePort, isAlive } from '../../tools/processes.ts';
import { type RedisServer, startRedis } from '../../tools/redis.ts';

export interface OwnRedis {
  urls: { REDIS_URL: string; QUEUE_REDIS_URL: string };
  freeze: () => void;
  thaw: () => void;
  /** As a crash does: no time to say goodbye. */
  kill: () => Promise<void>;
  /** On the same port, with what was kept on disk. */
  restart: () => Promise<void>;
  stop: () => Promise<void>;
}

/** The variables of the same Redis behind a proxy. */
export function redisThrough(port: number, { REDIS_URL, QUEUE_REDIS_URL }: OwnRedis['urls']): OwnRedis['urls'] {
  const through = (url: string) => Object.assign(new URL(url), { port: String(port) }).href;
  return { REDIS_URL: through(REDIS_URL), QUEUE_REDIS_URL: through(QUEUE_REDIS_URL) };
}

/** A Redis of the test's own, to be frozen, killed and wiped. */
export async function startOwnRedis(): Promise<OwnRedis> {
  const directory = await createTemporaryFolder('redis');
  // Not the port that it prefers: while it is down, the Redis of another suite would take that.
  const port = await freePort();
  let server: RedisServer = await startRedis({ directory, port });
  const url = (database: number) => Object.assign(new URL(server.url), { pathname: `/${database}` }).href;
  const signal = (name: NodeJS.Signals) => isAlive(server.pid) && process.kill(server.pid, name);
  return {
    urls: { REDIS_URL: url(0), QUEUE_REDIS_URL: url(1) },
    freeze: () => void signal('SIGSTOP'),
    thaw: () => void signal('SIGCONT'),
    kill: async () => {
      signal('SIGKILL');
      await server.stop();
    },
    restart: async () => {
      server = await startRedis({ directory, port });
    },
    stop: async () => {
      signal('SIGCONT');
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
