/**
 * `npm run test:faults [-- --minutes N] [--seed N] [--fault NAME] [--bug NAME] [--busy]`: clients of all kinds use the system
 * while everything under it is killed, frozen, cut and wiped; after each fault and at the end, what they were answered is
 * compared with what is there. Without `--minutes` each fault happens once, or the one that is named. `--busy` does not time the
 * answers: the machine has other things to do. It ends with 1 as soon as something is not true.
 */
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { signOf } from './alerts.ts';
import { describe, type Fault, FAULT_NAMES, inflict, isFault, scheduleOf } from './faults.ts';
import { inspect } from './inspection.ts';
import { Model, type Operation, outcomeOf } from './model.ts';
import { type Bug, BUGS } from './preload.ts';
import { Random } from './random.ts';
import { Recording } from './recording.ts';
import { settleUp } from './settlement.ts';
import { send, settle, type Shop, Shopper } from './shopper.ts';
import { waitUntil } from '../../tools/processes.ts';
import { createWorld, type World } from './world.ts';

const SHOPPERS = 24;
const STOCKS = [40, 40, 80, 80, 200, 5];
const RECOVERY_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 90_000;

const { seed, minutes, fault, bug, busy } = readOptions();
const startedAt = Date.now();
say(`seed ${seed}: "npm run test:faults -- --seed ${seed}" makes the same faults in the same order`);
const world = await createWorld({ seed, bug });
/** What Prometheus would have seen. */
const recording = new Recording(
  Object.fromEntries([...world.apis, ...world.workers].map(({ name, metricsUrl }) => [name, metricsUrl])),
  FAULT_NAMES.map((each) => signOf(each).metric),
);
recording.start();
const inflicted = new Set<Fault>();
let isTrue = false;
/** What the processes have logged, for somebody to read: not of a bug that is there on purpose. */
let isKept = bug === undefined;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
try {
  const violations = await simulate(world).catch((error: unknown) => [`The simulation broke: ${String(error)}`]);
  recording.stop();
  if (violations.length === 0 && bug === undefined) violations.push(...(await judgeAlerts(world)));
  for (const violation of violations.slice(0, 20)) say(`✗ ${violation}`);
  isTrue = violations.length === 0;
  if (isTrue) isKept = false;
  if (stop.signal.aborted) say('stopped before all of it had happened');
  say(isTrue ? '✓ all of it was true' : `✗ ${violations.length} violations with seed ${seed}`);
  if (isKept) say(`the logs are in ${world.directory}`);
} finally {
  await world.close(isKept);
}
process.exit(isTrue ? 0 : 1);

function readOptions(): {
  seed: number;
  minutes: number;
  fault: Fault | undefined;
  bug: Bug | undefined;
  busy: boolean;
} {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        fault: { type: 'string' },
        bug: { type: 'string' },
        busy: { type: 'boolean' },
      },
    });
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
    const minutes = Number(values.minutes ?? 0);
    const bug = BUGS.find((known) => known === values.bug);
    if (!Number.isSafeInteger(seed)) throw new Error('--seed must be a whole number');
    if (!(minutes >= 0)) throw new Error('--minutes must be a number that is not below 0');
    if (values.bug !== undefined && bug === undefined) throw new Error(`--bug must be one of ${BUGS.join(', ')}`);
    const { fault } = values;
    if (fault !== undefined && !isFault(fault)) throw new Error(`There is no fault "${fault}"`);
    return { seed, minutes, fault, bug, busy: values.busy === true };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

async function simulate(world: World): Promise<string[]> {
  const model = new Model({ isTimed: !busy });
  const random = new Random(seed + 1);
  const urls = world.apis.map(({ url }) => url);
  const initialStock = new Map<number, number>();
  for (const stock of STOCKS) initialStock.set(await createProduct(urls[0] ?? '', stock), stock);
  const closing = new AbortController();
  const shop: Shop = { model, urls, products: [...initialStock.keys()], closing: closing.signal };
  say(`${SHOPPERS} shoppers, ${STOCKS.length} products, 2 API processes and 2 workers`);
  const shoppers = Array.from({ length: SHOPPERS }, (_, index) =>
    new Shopper(shop, random.fork(), `s${index}`)
      .run()
      .catch((error: unknown) => void model.violations.push(`A shopper was stopped by ${String(error)}`)),
  );
  try {
    const violations = await breakThings(world, model);
    if (violations.length > 0) return violations;
  } finally {
    closing.abort();
    await Promise.all(shoppers);
  }
  say(`settling: ${summaryOf(model)}`);
  await settle(shop, random);
  if (fault === undefined && !(await leaveDeadLetter(world, shop, random))) return ['No order became a dead letter'];
  await untilAtRest(world);
  const violations = [...(await inspect(world, model)), ...(await settleUp(world, model, initialStock))];
  if (violations.length === 0) say((await world.audit()).trim());
  return violations;
}

/** One fault after the other, until each has been there once and the time is over. */
async function breakThings(world: World, model: Model): Promise<string[]> {
  const schedule = scheduleOf(seed, fault);
  for (;;) {
    const { round, step } = schedule.next().value;
    if (stop.signal.aborted || (round > 1 && Date.now() - startedAt > minutes * 60_000)) return [];
    say(describe(step));
    for (const each of step.faults) inflicted.add(each.fault);
    await inflict(world, step);
    await untilServed(world);
    const violations = await inspect(world, model);
    if (violations.length > 0) return violations;
    await delay(step.restMs);
  }
}

/** Each fault was seen in its metric, and no alert fired but those that its faults may raise. */
async function judgeAlerts({ directory }: World): Promise<string[]> {
  const signs = [...inflicted].map((each) => ({ name: each, ...signOf(each) }));
  const unseen = signs.filter(({ metric }) => !recording.has(metric));
  // A dead letter is made at the end, by an order that ends its workers again and again.
  const ofDeadLetter = fault === undefined ? ['ProcessDown', 'OrderStuck'] : [];
  const allowed = new Set([...ofDeadLetter, ...signs.flatMap(({ alerts }) => alerts)]);
  const fired = await recording.unexpectedAlerts(allowed, directory);
  if (fired === undefined) say('the alerts are not judged: there is no promtool (apt-get install prometheus)');
  else if (fired.length === 0) say('✓ no alert fired but those that the faults may raise');
  return [
    ...unseen.map(({ name, metric }) => `"${name}" is not seen in ${metric}`),
    ...(fired ?? []).map((alert) => `${alert} fired, and none of the faults may raise it`),
  ];
}

/** Each API serves again by itself, what is fast and what takes a lock and a commit. */
async function untilServed({ apis }: World): Promise<void> {
  const deadline = Date.now() + RECOVERY_TIMEOUT_MS;
  for (const { name, url } of apis) {
    while (!(await isServing(url))) {
      if (Date.now() > deadline) throw new Error(`${name} does not serve again`);
      await delay(50);
    }
  }
}

async function isServing(url: string): Promise<boolean> {
  try {
    const [ready, made] = await Promise.all([
      fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }),
      createProduct(url, 0),
    ]);
    await ready.arrayBuffer();
    return ready.ok && made > 0;
  } catch {
    return false;
  }
}

/** An order that ends its workers is left to an operator, who dispatches it again when the cause is mended. */
async function leaveDeadLetter({ provider, redrive }: World, shop: Shop, random: Random): Promise<boolean> {
  const [subject = 0] = shop.products;
  const begin = (operation: Omit<Operation, 'method' | 'attempts'>) =>
    shop.model.begin({ method: 'POST', ...operation });
  const settleOne = (operation: Operation) => waitUntil(() => send(shop, operation, random), RECOVERY_TIMEOUT_MS);
  const path = `/products/${subject}/stock-adjustments`;
  const body = { delta: 1, reason: 'for one more' };
  await settleOne(begin({ kind: 'adjust', path, key: 'one more', body, subject }));
  provider.poison();
  const items = [{ product_id: subject, quantity: 1 }];
  await settleOne(begin({ kind: 'buy', path: '/orders', key: 'poison', body: { items }, items }));
  const isLeft = await waitUntil(async () => (await redrive()) > 0, END_TIMEOUT_MS);
  provider.cure();
  return isLeft;
}

/** Every order has come to its end and is undone where that is owed, every reservation has, and every event is told. */
async function untilAtRest({ sql, redrive }: World): Promise<void> {
  const deadline = Date.now() + END_TIMEOUT_MS;
  for (;;) {
    const { rows } = await sql.query<{ open: number }>(
      `SELECT (SELECT count(*) FROM orders WHERE status IN ('pending', 'processing'))::integer
            + (SELECT count(*) FROM reservations WHERE status = 'held')::integer
            + (SELECT count(*) FROM fulfilment_undos)::integer
            + (SELECT count(*) FROM event_deliveries)::integer
            + ((SELECT max(id) FROM order_events) > (SELECT min(cursor) FROM event_subscriptions))::integer AS open`,
    );
    if (rows[0]?.open === 0) return;
    // What is still open then is told by the last inspection.
    if (Date.now() > deadline) return;
    // Others may have been under way in the workers that ended.
    await redrive();
    await delay(500);
  }
}

async function createProduct(url: string, stock: number): Promise<number> {
  const response = await fetch(`${url}/products`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: `Product with ${stock}`, price: 9.99, stock }),
    signal: AbortSignal.timeout(5_000),
  });
  const body = (await response.json()) as { id: number };
  if (response.status !== 201) throw new Error(`A product was answered ${response.status}`);
  return body.id;
}

function summaryOf({ operations, orders, reservations, slowestMs }: Model): string {
  const attempts = operations.flatMap((operation) => operation.attempts);
  const unheard = attempts.filter((attempt) => attempt === 'unknown').length;
  const refused = attempts.filter((attempt) => attempt !== 'unknown' && attempt.status === 503).length;
  const open = operations.filter(
    (operation) => operation.key !== undefined && outcomeOf(operation) === undefined,
  ).length;
  return (
    `${attempts.length} requests, ${unheard} without an answer, ${refused} answered 503; ` +
    `${orders.size} orders and ${reservations.size} reservations; ${open} keys still open; ` +
    `the slowest answer took ${Math.round(slowestMs)} ms`
  );
}

function say(line: string): void {
  console.log(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
}
