import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { withDeadline } from '../../src/runtime/deadline.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

const PAIRED = 0.15;
/** How often a fault of Redis comes together with one of PostgreSQL. */
const BOTH_SERVERS = 0.5;
/** The shoppers buy many times a second. */
const HIT_TIMEOUT_MS = 10_000;

/** How a fault is done this time. */
export interface Manner {
  /** Which of two processes. */
  readonly which: 0 | 1;
  readonly server: 'postgres' | 'redis';
  /** How long it lasts. */
  readonly milliseconds: number;
}

type Inflict = (world: World, manner: Manner) => unknown;

/** Each is over, and healed, when it returns. */
const PROCESS_FAULTS = {
  'kill -9 an API': ({ apis }, { which }) => apis[which]?.replace('SIGKILL'),
  'kill -9 a worker': ({ workers }, { which }) => workers[which]?.replace('SIGKILL'),
  'stop an API and a worker': ({ apis, workers }, { which }) =>
    Promise.all([apis[which]?.replace('SIGTERM'), workers[which]?.replace('SIGTERM')]),
} as const satisfies Record<string, Inflict>;

const POSTGRES_FAULTS = {
  'kill -9 PostgreSQL': ({ postgres }, { milliseconds }) =>
    interrupt(() => postgres.end('SIGKILL'), milliseconds, postgres.restart),
  'restart PostgreSQL': ({ postgres }, { milliseconds }) =>
    interrupt(() => postgres.end('SIGINT'), milliseconds, postgres.restart),
  'freeze PostgreSQL': ({ postgres }, { milliseconds }) => interrupt(postgres.freeze, milliseconds, postgres.thaw),
} as const satisfies Record<string, Inflict>;

const REDIS_FAULTS = {
  'kill -9 Redis': ({ redis }, { milliseconds }) => interrupt(redis.kill, milliseconds, redis.restart),
  'freeze Redis': ({ redis }, { milliseconds }) => interrupt(redis.freeze, milliseconds, redis.thaw),
  'wipe Redis': async ({ redis }) => {
    const client = new Redis(redis.urls.REDIS_URL);
    await client.flushall().finally(() => client.disconnect());
  },
} as const satisfies Record<string, Inflict>;

const SERVER_FAULTS = {
  'fill the pool': async ({ sql }, { milliseconds }) => {
    const client = await sql.connect();
    try {
      await client.query('BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
      await delay(milliseconds);
    } finally {
      client.release(true);
    }
  },
  'cut a connection before the commit of a sale': ({ proxies }) =>
    untilHit(proxies.postgres.cutAt('before', 'sell', 'COMMIT')),
  'cut a connection after the commit of a sale': ({ proxies }) =>
    untilHit(proxies.postgres.cutAt('after', 'sell', 'COMMIT')),
  'lose the answer to the commit of a sale': ({ proxies }) => untilHit(proxies.postgres.muteAfter('sell', 'COMMIT')),
  'cut a connection in the middle of a transaction': ({ proxies }) =>
    untilHit(proxies.postgres.cutAt('after', 'wait-for-key')),
  'cut all connections': ({ proxies }, { server }) => proxies[server].cut(),
  'leave connections half open': ({ proxies }, { server }) => proxies[server].halfOpen(),
  'slow the network down': ({ proxies }, { server, milliseconds }) => {
    const slower = server === 'postgres' ? 40 : 150;
    return interrupt(
      () => proxies[server].delay(slower),
      milliseconds,
      () => proxies[server].delay(0),
    );
  },
  'let nothing through': ({ proxies }, { server, milliseconds }) =>
    interrupt(proxies[server].freeze, milliseconds, proxies[server].thaw),
} as const satisfies Record<string, Inflict>;

const FAULTS = { ...PROCESS_FAULTS, ...POSTGRES_FAULTS, ...REDIS_FAULTS, ...SERVER_FAULTS };
export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES: readonly Fault[] = Object.keys(FAULTS).filter(isFault);
/** As many as each round has. */
export const KINDS = FAULT_NAMES.length;

/** They heal by themselves before an alert waits for them, however often they happen. */
export const HEALS_AT_ONCE: ReadonlySet<Fault> = new Set<Fault>([
  'kill -9 an API',
  'kill -9 a worker',
  'stop an API and a worker',
  'wipe Redis',
  'cut a connection before the commit of a sale',
  'cut a connection after the commit of a sale',
  'lose the answer to the commit of a sale',
  'cut a connection in the middle of a transaction',
  'cut all connections',
  'leave connections half open',
  'slow the network down',
]);

export function isFault(name: string): name is Fault {
  return name in FAULTS;
}

/** Faults that happen together, and then a while in which none does. */
export interface Step {
  readonly faults: readonly { readonly fault: Fault; readonly manner: Manner }[];
  readonly restMs: number;
}

/**
 * Steps without end, the same for the same seed. Each round of them has every fault in it once, or one again and again; at times a
 * process is lost together with a server, or PostgreSQL together with Redis.
 */
export function* scheduleOf(seed: number, only?: Fault): Generator<{ round: number; step: Step }, never> {
  const random = new Random(seed);
  const names = <T extends Fault>(faults: Record<T, Inflict>) => random.shuffle(Object.keys(faults) as T[]);
  for (let round = 1; only !== undefined; round++) {
    yield { round, step: { faults: [{ fault: only, manner: mannerOf(random) }], restMs: random.between(300, 1_200) } };
  }
  for (let round = 1; ; round++) {
    const processes: Fault[] = names(PROCESS_FAULTS);
    const redis: Fault[] = names(REDIS_FAULTS);
    const groups: Fault[][] = names(POSTGRES_FAULTS).map((fault) => [fault]);
    for (const group of groups) if (random.happens(BOTH_SERVERS)) group.push(...redis.splice(0, 1));
    groups.push(...[...redis, ...names(SERVER_FAULTS)].map((fault) => [fault]));
    for (const group of groups) if (random.happens(PAIRED)) group.push(...processes.splice(0, 1));
    groups.push(...processes.map((fault) => [fault]));
    for (const group of random.shuffle(groups)) {
      const faults = group.map((fault) => ({ fault, manner: mannerOf(random) }));
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

/** A fault that waits for its moment. */
async function untilHit(hit: Promise<void>): Promise<void> {
  await withDeadline(hit, HIT_TIMEOUT_MS).catch(() => {
    throw new Error(`Nobody bought anything for ${HIT_TIMEOUT_MS} ms`);
  });
}

/** A fault that lasts. */
async function interrupt(begin: () => unknown, milliseconds: number, end: () => unknown): Promise<void> {
  await begin();
  await delay(milliseconds);
  await end();
}
