/** `npm run bench -- --against CHECKOUT [--cases a,b]`: this code beside another state of it, for the worth of a change. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Case, casesOn, type Contender, type Turn, WORKER_CASE } from './cases.ts';
import { CLIENTS, PRODUCTS } from './contests.ts';
import { isSlower, isTrustworthy, mean, pairedRatio, type Ratio } from './interval.ts';
import { load } from './load.ts';
import { median } from './median.ts';
import { markdownTable } from './report.ts';
import { purchases, Shop } from './shop.ts';
import { makeKey, type Stage, startApi } from './stage.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/**
 * Times that the processes are started anew, because two of one build differ for as long as they live, now and then by a third. A
 * multiple of three: each is started first as often as the others, and the first is slower, by up to a tenth.
 */
const GENERATIONS = 9;
/** Of each generation. */
const ROUNDS = 2;
const WARM_UP_SECONDS = 3;
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

/** This state, the other one, and this one again. */
type Three<T> = [T, T, T];

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
  const chosen = Object.entries(casesOn(stage, shop, processorTimeOf)).filter(
    ([name]) => cases.length === 0 || cases.some((part) => name.includes(part)),
  );
  if (chosen.length === 0) throw new Error(`There is no case like ${cases.join()}`);
  const key = await makeKey(stage);
  const start = async (from: string, variables: Record<string, string>): Promise<Contender> => ({
    checkout: path.resolve(from),
    api: await startApi(stage, variables, from),
    key: variables.AUTH === 'required' ? key : undefined,
  });
  const turns = chosen.map(([name, each]) => ({ name, each, taken: [[], [], []] as Three<Turn[]> }));
  for (let generation = 0; generation < GENERATIONS; generation++) {
    await shop.open(PRODUCTS);
    const contenders = await inTurns(generation, async (which) => {
      const contender = await (which === 1 ? start(checkout, those) : start(ROOT, these));
      await warmUp(contender);
      return contender;
    });
    for (const { name, each, taken } of turns) {
      const means = await measure(each, contenders, { shop, generation, isWarmedUp: name !== WORKER_CASE });
      means.forEach((mean, which) => taken[which]?.push(mean));
    }
    for (const { api } of contenders) await api.stop();
    say(`generation ${generation + 1} of ${GENERATIONS}`);
  }
  return report(turns, say);
}

function report(
  cases: readonly { readonly name: string; readonly taken: Three<Turn[]> }[],
  say: (line: string) => void,
): boolean {
  const table = [['case', 'this, /s', 'that, /s', 'this / that', '95 %', 'this / this', 'this, µs', 'that, µs']];
  const slower: string[] = [];
  const restless: string[] = [];
  for (const { name, taken } of cases) {
    const [ours, theirs, control] = taken;
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
  console.log(`\n${markdownTable(table)}\n`);
  if (restless.length > 0) console.log(`The control differs from itself, measure again: ${restless.join(', ')}`);
  console.log(slower.length === 0 ? '✓ not slower in any case' : `✗ slower: ${slower.join(', ')}`);
  return slower.length === 0;
}

/** Makes the three, in an order that depends on the generation. */
async function inTurns<T>(generation: number, make: (which: number) => Promise<T>): Promise<Three<T>> {
  const made = new Map<number, T>();
  for (let place = 0; place < 3; place++) {
    const which = (generation + place) % 3;
    made.set(which, await make(which));
  }
  return [0, 1, 2].map((which) => made.get(which)) as Three<T>;
}

async function warmUp({ api: { url }, key }: Contender): Promise<void> {
  const requests = [...purchases(PRODUCTS), { method: 'GET' as const, path: '/api/v1/products/1/cached' }];
  await load({ url, key, requests, connections: CLIENTS, seconds: WARM_UP_SECONDS });
}

/** The mean turn of each. */
async function measure(
  each: Case,
  contenders: Three<Contender>,
  { shop, generation, isWarmedUp }: { shop: Shop; generation: number; isWarmedUp: boolean },
): Promise<Turn[]> {
  const turns: Three<Turn[]> = [[], [], []];
  await shop.open(PRODUCTS);
  await shop.sell(1_000);
  // What the case before has asked of a process is compiled by then, and what this one asks is not.
  for (const contender of isWarmedUp ? contenders : []) {
    await each(contender).catch(() => undefined);
    await shop.settle();
  }
  for (let round = generation * ROUNDS; round < (generation + 1) * ROUNDS; round++) {
    for (let place = 0; place < contenders.length; place++) {
      const which = ((round + (round % 2 === 0 ? place : 2 * place)) % 3) as 0 | 1 | 2;
      // Once more after a turn that did not come off: a long run is not lost for one refused request.
      turns[which].push(await each(contenders[which]).catch(() => each(contenders[which])));
      await shop.settle();
    }
  }
  return turns.map((taken) => ({
    rate: mean(taken.map(({ rate }) => rate)),
    cost: mean(taken.map(({ cost }) => cost)),
  }));
}

function intervalOf({ low, high }: Ratio): string {
  return `${low.toFixed(2)}–${high.toFixed(2)}`;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, `utime` and `stime`. */
function processorTimeOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}
