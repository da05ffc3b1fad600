import { setImmediate as nextTurn } from 'node:timers/promises';
import { setLimits, useLimits } from '../../../test/support/limits.js';
import { LIMITS } from '../../config/limits.js';
import { OverloadedError } from '../../runtime/overloaded.error.js';
import { remainingMs } from '../../runtime/request-context.js';
import { RequestQueue } from './request-queue.js';

/** Longer than requests are begun in a turn while some wait. */
const WORK_MS = 1;

/** Longer than requests are begun in a turn while none had to wait. */
const LONG_WORK_MS = 10;

const work = (milliseconds = WORK_MS) => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
};

/** A queue, and what became of what was put into it: in which turn of the event loop, or with which error. */
const setUp = () => {
  const queue = new RequestQueue();
  const begun: { name: string; turn: number; error: Error | undefined; leftMs: number; waitedMs: number }[] = [];
  let turn = 0;
  const enter = (name: string, ip = '192.0.2.1', receivedAt = performance.now()) => {
    const request = { ip, receivedAt, waitedMs: 0 };
    queue.enter(request, (error) => {
      begun.push({ name, turn, error, leftMs: remainingMs(), waitedMs: request.waitedMs });
      work();
    });
  };
  const settle = async (count: number) => {
    while (begun.length < count) {
      await nextTurn();
      turn++;
    }
  };
  return { begun, enter, settle };
};

describe('RequestQueue', () => {
  useLimits({ beginMs: 60_000 });

  it('begins a request at once while none waits', () => {
    const { begun, enter } = setUp();
    enter('only');
    expect(begun).toMatchObject([{ name: 'only', error: undefined, leftMs: Infinity }]);
  });

  it('lets the event loop turn after each while many wait, and begins all', async () => {
    const { begun, enter, settle } = setUp();
    for (let n = 0; n < 40; n++) enter(String(n));
    expect(begun.length).toBeLessThanOrEqual(6);
    const atOnce = begun.length;
    await settle(40);
    expect(begun.map(({ name }) => Number(name))).toEqual(Array.from({ length: 40 }, (_each, n) => n));
    const turns = begun.slice(atOnce).map((each) => each.turn);
    expect(new Set(turns).size).toBe(turns.length);
  });

  it('counts what a request does after it was begun', async () => {
    const queue = new RequestQueue();
    const turns: number[] = [];
    let turn = 0;
    const enter = (begin: () => void) =>
      queue.enter({ ip: '192.0.2.1', receivedAt: performance.now(), waitedMs: 0 }, begin);
    enter(() => work(LONG_WORK_MS));
    for (let n = 0; n < 20; n++) {
      enter(() => {
        turns.push(turn);
        process.nextTick(work, WORK_MS);
      });
    }
    expect(turns).toEqual([]);
    while (turns.length < 20) {
      await nextTurn();
      turn++;
    }
    // The work of one is done after the next one was looked at, and before the one after that.
    expect(new Set(turns).size).toBeGreaterThanOrEqual(10);
  });

  it('lets networks take turns', async () => {
    const { begun, enter, settle } = setUp();
    for (let n = 0; n < 50; n++) enter('many', '192.0.2.1');
    const waitedFor = begun.length;
    enter('few', '::ffff:192.0.2.2');
    enter('few', '192.0.2.2');
    await settle(52);
    const places = begun.flatMap(({ name }, place) => (name === 'few' ? [place] : []));
    expect(places).toEqual([waitedFor + 1, waitedFor + 3]);
  });

  it('gives the time that a request has waited from the time for its answer', async () => {
    const { begun, enter, settle } = setUp();
    const receivedAt = performance.now() - 1_000;
    for (let n = 0; n < 20; n++) enter('any', '192.0.2.1', receivedAt);
    await settle(20);
    const { leftMs = Infinity, waitedMs = 0 } = begun.at(-1) ?? {};
    expect(leftMs).toBeLessThanOrEqual(LIMITS.answerMs - 1_000);
    expect(waitedMs).toBeGreaterThanOrEqual(1_000);
    expect(begun[0]?.waitedMs).toBe(0);
  });

  it('refuses what has waited too long, and of too many the last ones', async () => {
    setLimits({ requestsWaiting: 10 });
    const { begun, enter, settle } = setUp();
    for (let n = 0; n < 8; n++) enter('first');
    const atOnce = begun.length;
    enter('old', '192.0.2.1', performance.now() - 60_001);
    for (let n = 9; n < atOnce + 10; n++) enter('last');
    enter('beyond');
    const refused = (name: string) => begun.filter((each) => each.name === name).map(({ error }) => error);
    expect(refused('beyond')).toEqual([expect.any(OverloadedError)]);
    await settle(atOnce + 11);
    expect(refused('old')).toEqual([expect.any(OverloadedError)]);
    expect(begun.filter(({ error }) => error !== undefined)).toHaveLength(2);
  });
});
