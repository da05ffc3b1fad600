/** `npm run bench -- --against CHECKOUT [--cases a,b]`: this code beside another state of it, for the worth of a change. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Case, casesOn, type Contender, type Turn } from './cases.ts';
import { CLIENTS, PRODUCTS } from './contests.ts';
import { isSlower, isTrustworthy, pairedRatio, type Ratio } from './interval.ts';
import { load } from './load.ts';
import { median } from './median.ts';
import { markdownTable } from './report.ts';
import { purchases, Shop } from './shop.ts';
import { makeKey, type Stage, startApi } from './stage.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const ROUNDS = 15;
const WARM_UP_SECONDS = 3;
/** A process knows of a new key by then. */
const KEYS_KNOWN_MS = 2_000;
/** Of Linux: what /proc counts in. */
const TICK_MICROSECONDS = 10_000;

export interface Comparison {
  /** Of the other state; it is built, and runs on the tables of this one. */
  checkout: string;
  /** Parts of the names of cases; all are measured when there are none. */
  cases: readonly string[];
  /** Of this state, and of the other: what a setting costs is told by comparing a checkout with itself. */
  variables: readonly [Record<string, string>, Record<string, string>];
}

/**
 * Each has its turn in every round, in an order that changes from round to round, on the same database. The control is a second
 * process of this code: where its interval does not hold 1, the machine was too restless for the case.
 */
export async function compare(
  stage: Stage,
  { checkout, cases, variables: [these, those] }: Comparison,
  say: (line: string) => void,
): Promise<boolean> {
  const shop = new Shop(stage.sql);
  await shop.open(PRODUCTS);
  const start = async (name: string, from: string, variables: Record<string, string>): Promise<Contender> => ({
    name,
    checkout: path.resolve(from),
    api: await startApi(stage, variables, from),
    key: variables.AUTH === 'required' ? await makeKey(stage) : undefined,
  });
  const contenders = [
    await start('this', ROOT, these),
    await start('that', checkout, those),
    await start('control', ROOT, these),
  ] as const;
  await delay(KEYS_KNOWN_MS);
  const warmUp = [...purchases(PRODUCTS), { method: 'GET' as const, path: '/api/v1/products/1/cached' }];
  for (const { api, key } of contenders) {
    await load({ url: api.url, key, requests: warmUp, connections: CLIENTS, seconds: WARM_UP_SECONDS });
  }
  const table = [['case', 'this, /s', 'that, /s', 'this / that', '95 %', 'this / this', 'this, µs', 'that, µs']];
  const slower: string[] = [];
  const restless: string[] = [];
  for (const [name, each] of Object.entries(casesOn(stage, shop, processorTimeOf))) {
    if (cases.length > 0 && !cases.some((part) => name.includes(part))) continue;
    const [ours, theirs, control] = await measure(each, contenders, shop);
    const rates = (turns: readonly Turn[]) => turns.map(({ rate }) => rate);
    const ratio = pairedRatio(rates(ours), rates(theirs));
    if (isSlower(ratio)) slower.push(name);
    const figures = [ours, theirs].map((turns) => median(rates(turns)).toFixed(0));
    const costs = [ours, theirs].map((turns) => median(turns.map(({ cost }) => cost)).toFixed(1));
    const same = pairedRatio(rates(ours), rates(control));
    if (!isTrustworthy(same)) restless.push(name);
    table.push([name, ...figures, ratio.estimate.toFixed(2), intervalOf(ratio), intervalOf(same), ...costs]);
    say(`${name}: ${ratio.estimate.toFixed(2)} (${intervalOf(ratio)}), control ${intervalOf(same)}`);
  }
  if (table.length === 1) throw new Error(`There is no case like ${cases.join()}`);
  console.log(`\n${markdownTable(table)}\n`);
  if (restless.length > 0) console.log(`The control differs from itself, measure again: ${restless.join(', ')}`);
  console.log(slower.length === 0 ? '✓ not slower in any case' : `✗ slower: ${slower.join(', ')}`);
  return slower.length === 0;
}

async function measure(
  each: Case,
  contenders: readonly [Contender, Contender, Contender],
  shop: Shop,
): Promise<[Turn[], Turn[], Turn[]]> {
  const turns: [Turn[], Turn[], Turn[]] = [[], [], []];
  await shop.open(PRODUCTS);
  await shop.sell(1_000);
  for (let round = 0; round < ROUNDS; round++) {
    for (let place = 0; place < contenders.length; place++) {
      const which = ((round + (round % 2 === 0 ? place : 2 * place)) % 3) as 0 | 1 | 2;
      // Once more after a turn that did not come off: a long run is not lost for one refused request.
      turns[which].push(await each(contenders[which]).catch(() => each(contenders[which])));
      await shop.settle();
    }
  }
  return turns;
}

function intervalOf({ low, high }: Ratio): string {
  return `${low.toFixed(2)}–${high.toFixed(2)}`;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, `utime` and `stime`. */
function processorTimeOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}
