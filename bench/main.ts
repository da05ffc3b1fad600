/** `npm run bench [-- --quick | --soak MINUTES | --storage | --streams | --crowds | --against CHECKOUT [--cases a,b] [--this NAME=value]… [--that NAME=value]…]`: this system beside its peers, in one run, on databases of its own. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { lineChart } from './chart.ts';
import { compare } from './compare.ts';
import { hold, type Result } from './contest.ts';
import { CLIENTS, contestsOn, type Field, PRODUCTS } from './contests.ts';
import { measureCrowds } from './crowds.ts';
import { drain } from './drain.ts';
import { load, type Measured, type Request } from './load.ts';
import { markdownTable, type Report, tableOf, verdictsOf, verdictTable } from './report.ts';
import { measureScale } from './scale.ts';
import { purchases, Shop } from './shop.ts';
import { measureStorage } from './storage.ts';
import { measureStreams } from './streams.ts';
import { type Process, requirePrograms, residentMebibytes, setUp, startApi, startPeer, tearDown } from './stage.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    soak: { type: 'string' },
    storage: { type: 'boolean' },
    streams: { type: 'boolean' },
    crowds: { type: 'boolean' },
    against: { type: 'string' },
    cases: { type: 'string' },
    this: { type: 'string', multiple: true },
    that: { type: 'string', multiple: true },
  },
});
const FULL = {
  rounds: 3,
  seconds: 2,
  warmUpSeconds: 5,
  clients: [1, 4, 16, 64, 256, 512],
  sizes: [1e3, 1e4, 1e5, 1e6],
};
const QUICK = { rounds: 1, seconds: 1, warmUpSeconds: 2, clients: [1, 16, 128], sizes: [1e3, 2e4] };
const plan = options.quick === true ? QUICK : FULL;
const startedAt = Date.now();

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void tearDown().then(() => process.exit(1)));

try {
  await requirePrograms(say);
  if (options.soak !== undefined) await soak(Number(options.soak));
  else if (options.storage === true) await measureStorage(await setUp(), say);
  else if (options.streams === true) await measureStreams(await setUp(), say);
  else if (options.crowds === true) await measureCrowds(await setUp(), say);
  else if (options.against !== undefined) {
    const cases = options.cases?.split(',') ?? [];
    if (
      !(await compare(
        await setUp(),
        { checkout: options.against, cases, variables: [variablesOf(options.this), variablesOf(options.that)] },
        say,
      ))
    )
      process.exitCode = 1;
  } else await bench();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await tearDown();
}

async function bench(): Promise<void> {
  const field = await prepare();
  const results: Result[] = [];
  for (const contest of contestsOn(field)) results.push(...(await hold(contest, plan.rounds, say)));
  const { api, otherApi, optimistic, withoutDispatch, peer } = field;
  const contended = { 'this system': api, optimistic, 'one transaction an order': peer };
  const byClients = {
    hot: await measureByClients(field, contended, purchases(1)),
    spread: await measureByClients(field, { 'this system': api, optimistic }, purchases(PRODUCTS)),
  };
  const drains = new Map<number, number>();
  for (const concurrency of [50, 200]) {
    drains.set(concurrency, (await drain(field, concurrency)).rate);
    say(`one worker, ${concurrency} orders under way: ${Math.round(drains.get(concurrency) ?? 0)} orders/s completed`);
  }
  const memory = await residentMebibytes(api.pid);
  await Promise.all([api, otherApi, optimistic, withoutDispatch, peer].map(({ stop }) => stop()));
  const scale = await measureScale(field.stage, plan.sizes, say);
  await publish({ results, scale, drains }, byClients, memory);
}

async function prepare(): Promise<Field> {
  say('compiling, and bringing up PostgreSQL and Redis with fsync on');
  const stage = await setUp();
  const shop = new Shop(stage.sql);
  const textbook = new Shop(stage.textbook.sql);
  const [api, otherApi, optimistic, withoutDispatch, peer] = await Promise.all([
    startApi(stage),
    startApi(stage),
    startApi(stage, { ORDER_LOCKING: 'optimistic' }),
    startApi(stage, { QUEUE_REDIS_URL: 'redis://127.0.0.1:1/0' }),
    startPeer(stage),
  ]);
  const field = { stage, shop, textbook, api, otherApi, optimistic, withoutDispatch, peer, seconds: plan.seconds };
  await Promise.all([shop, textbook].map((each) => each.open(PRODUCTS)));
  say('warming up');
  for (const { url } of [api, otherApi, optimistic, withoutDispatch, peer]) {
    await load({ url, requests: purchases(PRODUCTS), connections: CLIENTS, seconds: plan.warmUpSeconds });
  }
  return field;
}

type ByClients = Map<string, [clients: number, measured: Measured][]>;

/** The same purchases by more and more clients. */
async function measureByClients(
  { shop, textbook, peer }: Field,
  contenders: Record<string, Process>,
  requests: readonly Request[],
): Promise<ByClients> {
  const measured: ByClients = new Map(Object.keys(contenders).map((name) => [name, []]));
  await Promise.all([shop, textbook].map((each) => each.open(PRODUCTS)));
  for (const connections of plan.clients) {
    for (const [name, process] of Object.entries(contenders)) {
      const result = await load({ url: process.url, requests, connections, seconds: 1 });
      await (process === peer ? textbook : shop).check(result, connections);
      measured.get(name)?.push([connections, result]);
      say(`${connections} clients · ${requests.length} products · ${name}: ${Math.round(result.rate)}/s`);
    }
  }
  return measured;
}

async function publish(
  report: Report,
  byClients: { hot: ByClients; spread: ByClients },
  memory: number,
): Promise<void> {
  const results = markdownTable(tableOf(report));
  const verdicts = markdownTable(verdictTable(verdictsOf(report)));
  console.log(`\n${results}\n\n${verdicts}\n`);
  const folder = path.join(ROOT, options.quick === true ? '.data/bench/report' : 'docs');
  await mkdir(path.join(folder, 'benchmarks'), { recursive: true });
  for (const [name, svg] of Object.entries(chartsOf(report, byClients))) {
    await writeFile(path.join(folder, `benchmarks/${name}.svg`), svg);
  }
  const template = await readFile(path.join(import.meta.dirname, 'report.md'), 'utf8');
  const values: Record<string, string> = {
    results,
    verdicts,
    machine: `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    minutes: ((Date.now() - startedAt) / 60_000).toFixed(1),
    memory: memory.toFixed(0),
  };
  await writeFile(
    path.join(folder, 'benchmarks.md'),
    template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? ''),
  );
  say(`written to ${path.relative(ROOT, folder)}/benchmarks.md`);
}

function chartsOf({ scale }: Report, { hot, spread }: { hot: ByClients; spread: ByClients }): Record<string, string> {
  const lines = (of: ByClients, pick: (measured: Measured) => number) =>
    [...of].map(([name, all]) => ({ name, points: all.map(([x, measured]) => [x, pick(measured)] as const) }));
  const rate = (measured: Measured) => measured.rate;
  const clients = { xLabel: 'clients', yLabel: 'orders/s' };
  return {
    throughput: lineChart({ ...clients, title: 'Purchases of one hot product', series: lines(hot, rate) }),
    spread: lineChart({ ...clients, title: 'Purchases of 100 products', series: lines(spread, rate) }),
    latency: lineChart({
      title: 'Purchases of one hot product',
      xLabel: 'clients',
      yLabel: 'p99, ms',
      logY: true,
      series: lines(hot, ({ p99 }) => p99),
    }),
    scale: lineChart({
      title: 'A page of a list, lone client',
      xLabel: 'products in the table (ten orders each)',
      yLabel: 'p50, ms',
      series: Object.keys(scale[0]?.p50 ?? {}).map((name) => ({
        name,
        points: scale.map(({ products, p50 }) => [products, p50[name] ?? 0] as const),
      })),
    }),
  };
}

/** The hot purchase for some minutes, and what it does to the memory of the API. */
async function soak(minutes: number): Promise<void> {
  const { api, shop } = await prepare();
  await shop.open(1);
  for (let second = 0; second < minutes * 60; second += 15) {
    const { rate, p99 } = await load({ url: api.url, requests: purchases(1), connections: CLIENTS, seconds: 15 });
    say(`${Math.round(rate)} orders/s, p99 ${p99.toFixed(1)} ms, ${(await residentMebibytes(api.pid)).toFixed(0)} MiB`);
  }
}

/** `NAME=value` each. */
function variablesOf(settings: readonly string[] = []): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const setting of settings) {
    const [name = ''] = setting.split('=', 1);
    variables[name] = setting.slice(name.length + 1);
  }
  return variables;
}

function say(line: string): void {
  console.log(`${((Date.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${line}`);
}
