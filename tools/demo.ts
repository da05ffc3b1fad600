/**
 * `npm run demo [-- --kill-worker]`: a flash sale on the system of `npm start`. 500 buyers want the last 100 of a product at once, by real requests; then
 * every order is followed to its end. With `--kill-worker` the worker is killed in the middle. The exit status is 1 when anything is not as it must be.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import { RunRecord } from './run-record.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const DATA = path.resolve(ROOT, process.env.DATA_DIR || '.data');
const BUYERS = 500;
const STOCK = 100;
const FRAME_MS = 100;
/** A job whose worker has died is taken over after its lock and two checks, some twenty seconds. */
const TIMEOUT_MS = 90_000;
const BAR = 30;

interface Sale {
  readonly sold: readonly number[];
  readonly refused: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p99Ms: number;
}

/** The bar that was shown last to its end. */
let shown = '';

const { values } = parseArgs({ options: { 'kill-worker': { type: 'boolean', default: false } } });
const api = `${process.env.API_URL ?? `http://127.0.0.1:${process.env.PORT || 8000}`}/api/v1`;

try {
  process.exitCode = (await run(values['kill-worker'])) ? 0 : 1;
} catch (error) {
  console.error(`\n✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function run(killsWorker: boolean): Promise<boolean> {
  if (process.env.DEMO !== 'on') {
    throw new Error(
      'There is no "npm start" with a database of its own running here. To sell in the database that you have given, set DEMO=on',
    );
  }
  const product = await createProduct();
  console.log(`\n  Flash sale: ${BUYERS} buyers, ${STOCK} units, all at once (product ${product})\n`);
  const sale = await sell(product);
  if (killsWorker) await killWorker();
  const completed = await follow(sale.sold);
  const stock = await stockOf(product);
  const isClean = await audit();
  return report({ sale, completed, oversold: sale.sold.length - STOCK + stock, isClean });
}

async function createProduct(): Promise<number> {
  const body = { name: `Flash sale ${new Date().toISOString()} (demo)`, price: 9.99, stock: STOCK };
  const { id } = (await (await send('/products', body)).json()) as { id: number };
  return id;
}

/** All buyers at once; the stock is shown while it falls. */
async function sell(product: number): Promise<Sale> {
  const begin = performance.now();
  const took: number[] = [];
  const sold: number[] = [];
  let [refused, failed] = [0, 0];
  const buyers = Array.from({ length: BUYERS }, async () => {
    const since = performance.now();
    const response = await send('/orders', { product_id: product }).catch(() => undefined);
    took.push(performance.now() - since);
    if (response?.status === 201) sold.push(((await response.json()) as { id: number }).id);
    else if (response?.status === 400) refused++;
    else failed++;
  });
  const isOver = Promise.all(buyers).then(() => true);
  const frame = () => show('stock', STOCK - sold.length, `${sold.length} sold, ${refused} refused`);
  while (!(await Promise.race([isOver, delay(FRAME_MS, false)]))) frame();
  frame();
  const seconds = (performance.now() - begin) / 1_000;
  const p99Ms = took.sort((a, b) => a - b)[Math.ceil(BUYERS * 0.99) - 1] ?? 0;
  console.log();
  return { sold, refused, failed, seconds, p99Ms };
}

async function killWorker(): Promise<void> {
  await delay(500);
  const worker = new RunRecord(path.join(DATA, 'run.json')).find('worker');
  if (worker === undefined) throw new Error('The worker of "npm start" was not found');
  process.kill(worker, 'SIGKILL');
  console.log(
    styleText('yellow', `  The worker was killed in the middle (process ${worker}); "npm start" starts another one`),
  );
}

/** Until every order has ended; gives how many are completed. */
async function follow(orders: readonly number[]): Promise<number> {
  const deadline = Date.now() + TIMEOUT_MS;
  const open = new Set(orders);
  let completed = 0;
  while (open.size > 0 && Date.now() < deadline) {
    await Promise.all(
      [...open].map(async (id) => {
        const { status } = (await (await fetch(`${api}/orders/${id}/status`)).json()) as { status: string };
        if (status === 'pending' || status === 'processing') return;
        open.delete(id);
        if (status === 'completed') completed++;
      }),
    );
    show('open', open.size, `${completed} of ${orders.length} orders completed`);
    if (open.size > 0) await delay(FRAME_MS * 2);
  }
  console.log();
  return completed;
}

async function stockOf(product: number): Promise<number> {
  return ((await (await fetch(`${api}/products/${product}`)).json()) as { stock: number }).stock;
}

/** Compares stock, ledger and orders of the whole shop. */
async function audit(): Promise<boolean> {
  const args = ['--enable-source-maps', path.join(ROOT, 'dist/src/main.js'), '--audit'];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'ignore' });
  return (await new Promise((resolve) => child.once('close', resolve))) === 0;
}

function report(result: { sale: Sale; completed: number; oversold: number; isClean: boolean }): boolean {
  const { sale, completed, oversold, isClean } = result;
  const isRight =
    sale.sold.length === STOCK && sale.refused === BUYERS - STOCK && completed === STOCK && oversold === 0 && isClean;
  const line = `${sale.sold.length} sold, ${sale.refused} refused, ${oversold} oversold, audit ${isClean ? 'clean' : 'WITH FINDINGS'}`;
  const rule = '═'.repeat(line.length + 4);
  console.log(styleText([isRight ? 'green' : 'red', 'bold'], `\n  ╔${rule}╗\n  ║  ${line}  ║\n  ╚${rule}╝`));
  console.log(
    `\n  ${BUYERS} purchases in ${sale.seconds.toFixed(2)} s, p99 ${sale.p99Ms.toFixed(0)} ms; ${completed} of ${sale.sold.length} orders completed, none lost` +
      `${sale.failed > 0 ? `; ${sale.failed} purchases got no answer` : ''}\n`,
  );
  return isRight;
}

/** A bar of what is left; one line that is written over in a terminal, and nothing elsewhere until it is empty. */
function show(name: string, left: number, text: string): void {
  const full = Math.round((left / STOCK) * BAR);
  const line = `  ${name.padEnd(6)}${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${String(left).padStart(3)}   ${text}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${line}`);
  else if (left === 0 && name !== shown) process.stdout.write(line);
  if (left === 0) shown = name;
}

async function send(target: string, body: object): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' };
  return fetch(`${api}${target}`, { method: 'POST', headers, body: JSON.stringify(body) });
}
