import { setImmediate as turn } from 'node:timers/promises';
import type { Config } from '../../../config/config.js';
import { OrderSlots } from './order-slots.js';

const LONG_MS = 60_000;

function slotsOf(concurrency: number): OrderSlots {
  return new OrderSlots({ worker: { concurrency } } as Config);
}

/** An order with a job of its own, which runs until it is ended. */
function single(
  slots: OrderSlots,
  name = 'single',
  begun: string[] = [],
): { end: (value?: unknown) => void; ended: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers();
  const ended = slots.run(async () => {
    begun.push(name);
    await promise;
  });
  return { end: resolve, ended };
}

it('dispatched orders take as many as are free at once, and all but one at most', async () => {
  const slots = slotsOf(5);
  expect(await slots.takeDispatched(3, LONG_MS)).toBe(3);
  expect(await slots.takeDispatched(10, LONG_MS)).toBe(1);
  expect(await slots.takeDispatched(1, 1)).toBe(0);
  const { end, ended } = single(slots);
  expect(slots.inFlight).toBe(5);
  end();
  await ended;
  expect(slots.inFlight).toBe(4);
});

it('slots that come back in one turn are taken together by whoever has waited longest', async () => {
  const slots = slotsOf(5);
  await slots.takeDispatched(4, LONG_MS);
  const first = slots.takeDispatched(3, LONG_MS);
  const second = slots.takeDispatched(3, LONG_MS);
  for (let slot = 0; slot < 4; slot++) slots.giveBackDispatched(1);
  expect(await Promise.all([first, second])).toEqual([3, 1]);
});

it('an order with a job of its own passes dispatched ones that wait for a slot of theirs, and no other', async () => {
  const slots = slotsOf(2);
  const begun: string[] = [];
  await slots.takeDispatched(1, LONG_MS);
  const dispatched = slots.takeDispatched(1, LONG_MS).then(() => begun.push('dispatched'));
  const a = single(slots, 'a', begun);
  const b = single(slots, 'b', begun);
  await turn();
  expect(begun).toEqual(['a']);
  slots.giveBackDispatched(1);
  await turn();
  expect(begun).toEqual(['a', 'dispatched']);
  a.end();
  await turn();
  expect(begun).toEqual(['a', 'dispatched', 'b']);
  b.end();
  await Promise.all([dispatched, a.ended, b.ended]);
});

it('dispatched orders that wait leave fewer slots to orders with a job of their own, until they have waited long enough', async () => {
  const slots = slotsOf(5);
  const told: number[] = [];
  slots.onChange((left) => told.push(left));
  const singles = Array.from({ length: 5 }, () => single(slots));
  expect(told).toEqual([5]);
  expect(await slots.takeDispatched(3, 1)).toBe(0);
  expect(told).toEqual([5, 2, 5]);
  const dispatched = slots.takeDispatched(3, LONG_MS);
  for (const { end } of singles) end();
  expect(await dispatched).toBe(3);
  await Promise.all(singles.map(({ ended }) => ended));
  expect(told).toEqual([5, 2, 5, 2]);
});

it('an order is tried alone when all others have ended, also those that waited; dispatched ones do not wait for it', async () => {
  const slots = slotsOf(2);
  const begun: string[] = [];
  const told: number[] = [];
  slots.onChange((left) => told.push(left));
  const [a, b, c] = ['a', 'b', 'c'].map((name) => single(slots, name, begun));
  const dispatched = slots.takeDispatched(1, LONG_MS);
  const alone = slots.runAlone(async () => begun.push(`alone of ${slots.inFlight}`));
  expect(await dispatched).toBe(0);
  expect(await slots.takeDispatched(1, LONG_MS)).toBe(0);
  for (const order of [a, b, c]) {
    expect(begun).not.toContain('alone of 1');
    order?.end();
    await order?.ended;
  }
  await alone;
  expect(begun).toEqual(['a', 'b', 'c', 'alone of 1']);
  expect(slots.isReserved).toBe(false);
  expect(told).toEqual([2, 1, 2]);
  expect(await slots.takeDispatched(1, LONG_MS)).toBe(1);
  expect(told).toEqual([2, 1, 2, 1]);
});
