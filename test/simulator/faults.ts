import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { endProcess } from '../../tools/processes.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

const execute = promisify(execFile);
const STOP_TIMEOUT_MS = 10_000;

/** How a fault is done this time. */
export interface Manner {
  /** Which of two processes. */
  readonly which: 0 | 1;
  readonly server: 'postgres' | 'redis';
  /** How long it lasts. */
  readonly milliseconds: number;
}

/** Each is over, and healed, when it returns. */
const FAULTS = {
  'kill -9 an API': ({ apis }, { which }) => apis[which]?.replace('SIGKILL'),
  'kill -9 a worker': ({ workers }, { which }) => workers[which]?.replace('SIGKILL'),
  'stop an API and a worker': ({ apis, workers }, { which }) =>
    Promise.all([apis[which]?.replace('SIGTERM'), workers[which]?.replace('SIGTERM')]),
  'kill -9 PostgreSQL': ({ postgres }, { milliseconds }) => restartPostgres(postgres, 'SIGKILL', milliseconds),
  'restart PostgreSQL': ({ postgres }, { milliseconds }) => restartPostgres(postgres, 'SIGINT', milliseconds),
  'freeze PostgreSQL': async ({ postgres }, { milliseconds }) => {
    const { pid } = postgres.current;
    const children = (await execute('pgrep', ['-P', String(pid)])).stdout.trim().split('\n').map(Number);
    await freeze([pid, ...children], milliseconds);
  },
  'kill -9 Redis': async ({ redis }, { milliseconds }) => {
    await endProcess(redis.current.pid, 'SIGKILL', STOP_TIMEOUT_MS);
    await delay(milliseconds);
    await redis.start();
  },
  'freeze Redis': ({ redis }, { milliseconds }) => freeze([redis.current.pid], milliseconds),
  'wipe Redis': async ({ redis }) => {
    const client = new Redis(redis.current.port, '127.0.0.1');
    await client.flushall().finally(() => client.disconnect());
  },
  'fill the pool': async ({ sql }, { milliseconds }) => {
    const client = await sql.connect();
    try {
      await client.query('BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
      await delay(milliseconds);
    } finally {
      client.release(true);
    }
  },
  'cut a connection before its commit': async ({ proxies }, { milliseconds }) => {
    proxies.postgres.cutAt('COMMIT', 'before');
    await delay(milliseconds);
  },
  'cut a connection after its commit': async ({ proxies }, { milliseconds }) => {
    proxies.postgres.cutAt('COMMIT', 'after');
    await delay(milliseconds);
  },
  'lose the answer to a commit': async ({ proxies }, { milliseconds }) => {
    void proxies.postgres.muteAfter('COMMIT');
    await delay(milliseconds);
  },
  'cut all connections': ({ proxies }, { server }) => proxies[server].cut(),
  'leave connections half open': ({ proxies }, { server }) => proxies[server].halfOpen(),
  'slow the network down': async ({ proxies }, { server, milliseconds }) => {
    proxies[server].delay(server === 'postgres' ? 40 : 150);
    await delay(milliseconds);
    proxies[server].delay(0);
  },
  'let nothing through': async ({ proxies }, { server, milliseconds }) => {
    proxies[server].freeze();
    await delay(milliseconds);
    proxies[server].thaw();
  },
} as const satisfies Record<string, (world: World, manner: Manner) => unknown>;

type Fault = keyof typeof FAULTS;

/** Faults that happen together, and then a while in which none does. */
export interface Step {
  readonly faults: readonly { readonly fault: Fault; readonly manner: Manner }[];
  readonly restMs: number;
}

/** Steps without end, the same for the same seed. Each round of them has every fault in it once, some of them in pairs. */
export function* scheduleOf(seed: number): Generator<{ round: number; step: Step }, never> {
  const random = new Random(seed);
  for (let round = 1; ; round++) {
    const left = random.shuffle(Object.keys(FAULTS) as Fault[]);
    while (left.length > 0) {
      const faults = left.splice(0, random.happens(0.25) ? 2 : 1).map((fault) => ({ fault, manner: mannerOf(random) }));
      yield { round, step: { faults, restMs: random.between(300, 1_200) } };
    }
  }
}

export async function inflict(world: World, { faults }: Step): Promise<void> {
  await Promise.all(faults.map(async ({ fault, manner }) => FAULTS[fault](world, manner)));
}

export function describe({ faults }: Step): string {
  return faults
    .map(
      ({ fault, manner: { which, server, milliseconds } }) => `${fault} (${which + 1}, ${server}, ${milliseconds} ms)`,
    )
    .join(' and ');
}

function mannerOf(random: Random): Manner {
  return {
    which: random.happens(0.5) ? 0 : 1,
    server: random.happens(0.6) ? 'postgres' : 'redis',
    milliseconds: random.between(200, 2_500),
  };
}

async function restartPostgres(
  postgres: World['postgres'],
  signal: NodeJS.Signals,
  milliseconds: number,
): Promise<void> {
  await endProcess(postgres.current.pid, signal, STOP_TIMEOUT_MS);
  await delay(milliseconds);
  await postgres.start();
}

async function freeze(pids: readonly number[], milliseconds: number): Promise<void> {
  const signal = (name: NodeJS.Signals) =>
    pids.forEach((pid) => {
      try {
        process.kill(pid, name);
      } catch {
        // A child of PostgreSQL that has ended meanwhile.
      }
    });
  signal('SIGSTOP');
  await delay(milliseconds);
  signal('SIGCONT');
}
