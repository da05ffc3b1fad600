/**
 * `npm run drill:alerts [-- --fault NAME]`: each fault of the simulator, or one, made to last until a real Prometheus raises an alert of it, under the rules and
 * at the pace of production. A fault that heals by itself at once is repeated as long; it may raise nothing. No alert may fire that the table of alerts does not name for the fault. It
 * takes some minutes for each fault, and ends with 1 when something is not as the table has it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { endProcess, freePort, waitUntil } from '../../tools/processes.ts';
import { findProgram } from '../../tools/programs.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { OF_EVERY_FAULT, signOf } from './alerts.ts';
import { type Fault, FAULT_NAMES, HEALS_AT_ONCE, inflict, isFault } from './faults.ts';
import { createWorld, type World } from './world.ts';

const RULES = path.resolve(import.meta.dirname, '../../deploy/prometheus/rules.yml');
/** As `deploy/prometheus/prometheus.yml` has it. */
const SCRAPE_SECONDS = 15;
const BUYERS = 8;
const BUYER_PAUSE_MS = 100;
const QUIET_MS = 60_000;
/** An alert waits for a minute or two, and Prometheus for its next look. */
const FAULT_MS = 300_000;
const LOOK_MS = 5_000;
const READY_MS = 30_000;

const startedAt = Date.now();
const prometheus = findProgram('prometheus');
if (prometheus === undefined) throw new Error('There is no prometheus; on Debian: apt-get install prometheus');
const { values } = parseArgs({ options: { fault: { type: 'string' } } });
if (values.fault !== undefined && !isFault(values.fault)) throw new Error(`There is no fault "${values.fault}"`);
const faults = FAULT_NAMES.filter((name) => values.fault === undefined || name === values.fault);
const world = await createWorld({ seed: 1 });
const closing = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => closing.abort());

let isAsNamed = true;
try {
  const buyers = startBuyers();
  for (const fault of faults) {
    if (closing.signal.aborted) break;
    const violations = await drill(fault);
    for (const violation of violations) say(`✗ ${violation}`);
    isAsNamed &&= violations.length === 0;
  }
  closing.abort();
  await buyers;
} finally {
  await world.close(false);
}
say(isAsNamed ? '✓ each alert was one of its fault' : '✗ not as the table has it');
process.exit(isAsNamed ? 0 : 1);

/** A quiet minute, the fault, and what fired. Each fault has a Prometheus that knows nothing of those before. */
async function drill(fault: Fault): Promise<string[]> {
  const { alerts: allowed } = signOf(fault);
  const watch = await startPrometheus(world);
  const fired = new Map<string, number>();
  try {
    say(`${fault}: a quiet minute first`);
    await delay(QUIET_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    const before = await watch.firing();
    const begin = Date.now();
    const happened = sustain(fault, begin + FAULT_MS);
    const isOver = happened.then(() => true);
    while (!(await Promise.race([isOver, delay(LOOK_MS, false)])) && !closing.signal.aborted) {
      for (const alert of await watch.firing()) {
        if (fired.has(alert)) continue;
        fired.set(alert, Date.now() - begin);
        say(`  ${alert} after ${Math.round((Date.now() - begin) / 1_000)} s`);
      }
    }
    return [
      ...((await happened) === 0 ? [`"${fault}" has not happened`] : []),
      ...before.filter((alert) => !OF_EVERY_FAULT.includes(alert)).map((alert) => `${alert} fired before "${fault}"`),
      ...[...fired.keys()].filter((alert) => !allowed.includes(alert)).map((alert) => `${alert} is none of "${fault}"`),
      ...(fired.size === 0 && !HEALS_AT_ONCE.has(fault) ? [`"${fault}" has raised nothing`] : []),
    ];
  } finally {
    await watch.stop();
  }
}

/**
 * Makes the fault last, or happen again and again to a system that is up: a worker that never comes up is another fault. Gives how often it has
 * happened.
 */
async function sustain(fault: Fault, until: number): Promise<number> {
  let times = 0;
  for (let which: 0 | 1 = 0; Date.now() < until && !closing.signal.aborted; which = which === 0 ? 1 : 0) {
    const manner = { which, server: 'postgres', milliseconds: Math.max(until - Date.now(), 0) } as const;
    await inflict(world, { faults: [{ fault, manner }], restMs: 0 }).then(
      () => times++,
      (error: unknown) => say(`  ${String(error)}`),
    );
    await delay(1_000);
    await waitUntil(isReady, READY_MS);
  }
  return times;
}

async function isReady(): Promise<boolean> {
  const paths = [...world.apis, ...world.workers].map(({ metricsUrl }) => new URL('/health/ready', metricsUrl));
  const answers = await Promise.all(paths.map(async (each) => fetch(each).catch(() => undefined)));
  return answers.every((each) => each?.ok === true);
}

async function startPrometheus({ apis, workers }: World) {
  const directory = await createTemporaryFolder('prometheus');
  const port = await freePort();
  const targets = [...apis, ...workers].map(({ metricsUrl }) => new URL(metricsUrl).host);
  const pace = `${SCRAPE_SECONDS}s`;
  const config = path.join(directory, 'prometheus.yml');
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: pace, evaluation_interval: pace },
      rule_files: [RULES],
      scrape_configs: [{ job_name: 'order-system', static_configs: [{ targets }] }],
    }),
  );
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${path.join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child: ChildProcess = spawn(prometheus ?? '', flags, { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const isUp = await waitUntil(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true, 30_000);
  if (!isUp) throw new Error('Prometheus did not come up');
  return {
    firing: async (): Promise<string[]> => {
      const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as {
        data: { alerts: { state: string; labels: { alertname: string } }[] };
      };
      return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
    },
    stop: async () => {
      if (child.pid !== undefined) await endProcess(child.pid, 'SIGTERM', 10_000);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Buy until the drill closes, half of them as clients that ask the other API as well before the first has answered. */
async function startBuyers(): Promise<void> {
  const urls = world.apis.map(({ url }) => url);
  const [first = ''] = urls;
  const product = { name: 'Of the drill', price: 9.99, stock: 2_000_000_000 };
  const { id } = (await (await send(`${first}/products`, product)).json()) as { id: number };
  await Promise.all(
    Array.from({ length: BUYERS }, async (_each, index) => {
      const asked = index % 4 < 2 ? [urls[index % 2]] : urls;
      while (!closing.signal.aborted) {
        const key = { 'Idempotency-Key': randomUUID() };
        const bought = asked.map(async (url) => (await send(`${url}/orders`, { product_id: id }, key)).arrayBuffer());
        await Promise.allSettled(bought);
        await delay(BUYER_PAUSE_MS);
      }
    }),
  );
}

async function send(url: string, body: object, more: Record<string, string> = {}): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', ...more };
  const signal = AbortSignal.timeout(10_000);
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
}

function say(line: string): void {
  console.log(`${((Date.now() - startedAt) / 1_000).toFixed(0).padStart(6)} s  ${line}`);
}
