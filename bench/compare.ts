/** `npm run bench -- --against CHECKOUT`: this code beside another state of it, for the worth of a change. */
import { readFileSync } from 'node:fs';
import { CLIENTS, PRODUCTS } from './contests.ts';
import { load, loadAlone, type Measured, type Request } from './load.ts';
import { median } from './median.ts';
import { markdownTable } from './report.ts';
import { purchases, Shop } from './shop.ts';
import { type Process, type Stage, startApi } from './stage.ts';

const ROUNDS = 7;
const SECONDS = 2;
/** Of Linux: what /proc counts in. */
const TICK_MICROSECONDS = 10_000;

interface Turn {
  rate: number;
  /** Microseconds of the process's processor time for each request. */
  cost: number;
}

type Measure = (process: Process) => Promise<Measured>;

const read = (path: string): Request[] => [{ method: 'GET', path: `/api/v1/products${path}` }];
const byMany =
  (requests: readonly Request[]): Measure =>
  ({ url }) =>
    load({ url, requests, connections: CLIENTS, seconds: SECONDS });

const WARM_UP = byMany([...purchases(PRODUCTS), ...read('/1/cached')]);
const CASES: Record<string, Measure> = {
  'one hot product': byMany(purchases(1)),
  '100 products': byMany(purchases(PRODUCTS)),
  'a lone client': ({ url }) =>
    loadAlone(url, { method: 'POST', path: '/api/v1/orders', body: { product_id: 1 } }, SECONDS),
  'cached product': byMany(read('/1/cached')),
  'plain product': byMany(read('/1')),
  'first page of products': byMany(read('')),
};

/**
 * Each has its turn in every round, on the same database with the tables of this code; medians, and the median of the rounds'
 * ratios.
 */
export async function compare(stage: Stage, checkout: string, say: (line: string) => void): Promise<void> {
  const shop = new Shop(stage.sql);
  await shop.open(PRODUCTS);
  const contenders = [await startApi(stage), await startApi(stage, {}, checkout)] as const;
  for (const contender of contenders) await WARM_UP(contender);
  const table = [['case', 'this, /s', 'that, /s', 'ratio', 'this, µs each', 'that, µs each']];
  for (const [name, measure] of Object.entries(CASES)) {
    const turns: [Turn[], Turn[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        turns[which].push(await takeTurn(contenders[which], measure));
        await shop.settle();
      }
    }
    const [these, those] = turns;
    const ratio = median(these.map(({ rate }, round) => rate / (those[round]?.rate ?? NaN)));
    const figures = [these, those].map((all) => median(all.map(({ rate }) => rate)).toFixed(0));
    const costs = [these, those].map((all) => median(all.map(({ cost }) => cost)).toFixed(1));
    table.push([name, ...figures, ratio.toFixed(2), ...costs]);
    say(`${name}: ${ratio.toFixed(2)}`);
  }
  console.log(`\n${markdownTable(table)}\n`);
}

async function takeTurn(process: Process, measure: Measure): Promise<Turn> {
  const before = processorTimeOf(process.pid);
  const { rate, requests, refused, broken } = await measure(process);
  if (refused + broken > 0) throw new Error(`${refused} requests were refused and ${broken} not answered`);
  return { rate, cost: (processorTimeOf(process.pid) - before) / requests };
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, `utime` and `stime`. */
function processorTimeOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}
