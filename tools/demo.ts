/**
 * `npm run demo [-- --kill-worker]`: the flash sale of the console in the terminal, on the system of `npm start`. 500 buyers want the last 100 of a product
 * at once, by real requests; then every order is followed to its end. With `--kill-worker` the worker is killed in the middle. The exit status is 1 when
 * anything is not as it must be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import { credentials } from './credentials.ts';

const FRAME_MS = 100;
const BAR = 30;
const SILENCE_MS = 10_000;
const CREDENTIALS = credentials();

/** Of `openapi.json`, as far as it is shown. */
interface FlashSale {
  step: 'gathering' | 'selling' | 'processing' | 'auditing' | 'finished' | 'failed';
  product_id: number | null;
  buyers: number;
  units: number;
  sold: number;
  refused: number;
  retries: number;
  unanswered: number;
  completed: number;
  oversold: number;
  audit: string;
  sale_seconds: number;
  p99_seconds: number;
  worker_killed_seconds: number | null;
  as_promised: boolean;
  error: string | null;
}

/** The bar that stands in the running line; empty when none does. */
let shown = '';

const { values } = parseArgs({ options: { 'kill-worker': { type: 'boolean', default: false } } });
const url = `${process.env.API_URL ?? `http://127.0.0.1:${process.env.PORT || 8000}`}/api/v1/ops/flash-sales`;

try {
  process.exitCode = report(await run(values['kill-worker'])) ? 0 : 1;
} catch (error) {
  console.error(`\n✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function run(killsWorker: boolean): Promise<FlashSale> {
  await start(killsWorker);
  let sale = await get();
  while (sale.product_id === null && sale.step !== 'failed') {
    await delay(FRAME_MS);
    sale = await get();
  }
  const { buyers, units, product_id: product } = sale;
  console.log(`\n  Flash sale: ${buyers} buyers, ${units} units, all at once (product ${product})\n`);
  let isSelling = true;
  let isKilled = false;
  while (sale.step !== 'finished' && sale.step !== 'failed') {
    await delay(FRAME_MS);
    sale = await get();
    if (isSelling) show('stock', [sale.units - sale.sold, sale.units], `${sale.sold} sold, ${sale.refused} refused`);
    if (isSelling && sale.step !== 'selling') {
      isSelling = false;
      endLine();
    }
    if (!isKilled && sale.worker_killed_seconds !== null) {
      isKilled = true;
      endLine();
      console.log(styleText('yellow', '  The worker was killed in the middle; "npm start" starts another one'));
    }
    if (!isSelling)
      show('open', [sale.sold - sale.completed, sale.units], `${sale.completed} of ${sale.sold} completed`);
  }
  endLine();
  return sale;
}

async function start(killsWorker: boolean): Promise<void> {
  const headers = { 'Content-Type': 'application/json', ...CREDENTIALS };
  const body = JSON.stringify({ kill_worker: killsWorker });
  const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
  if (response === undefined) throw new Error(`No API answers at ${new URL(url).origin}: "npm start" brings one up`);
  if (response.status !== 202) throw new Error(((await response.json()) as { detail: string }).detail);
}

async function get(): Promise<FlashSale> {
  const deadline = Date.now() + SILENCE_MS;
  while (Date.now() < deadline) {
    const response = await fetch(url, { headers: CREDENTIALS }).catch(() => undefined);
    const [sale] = response?.ok === true ? ((await response.json()) as { items: FlashSale[] }).items : [];
    if (sale !== undefined) return sale;
    await delay(FRAME_MS);
  }
  throw new Error('The API no longer knows of the sale: it has been restarted, or has stopped');
}

function report(sale: FlashSale): boolean {
  if (sale.step === 'failed') throw new Error(sale.error ?? 'The sale has failed');
  const audit = sale.audit === 'clean' ? 'clean' : 'WITH FINDINGS';
  const line = `${sale.sold} sold, ${sale.refused} refused, ${sale.oversold} oversold, audit ${audit}`;
  const rule = '═'.repeat(line.length + 4);
  console.log(styleText([sale.as_promised ? 'green' : 'red', 'bold'], `\n  ╔${rule}╗\n  ║  ${line}  ║\n  ╚${rule}╝`));
  const again = sale.retries > 0 ? `; ${sale.retries} times a purchase was told to try again (503), and did` : '';
  const unanswered = sale.unanswered > 0 ? `; ${sale.unanswered} purchases got no answer` : '';
  const lost = sale.sold - sale.completed;
  console.log(
    `\n  ${sale.buyers} purchases in ${sale.sale_seconds.toFixed(2)} s, p99 ${(sale.p99_seconds * 1_000).toFixed(0)} ms; ` +
      `${sale.completed} of ${sale.sold} orders completed, ${lost === 0 ? 'none lost' : `${lost} not in time`}${again}${unanswered}\n`,
  );
  return sale.as_promised;
}

/** A bar of what is left: one line that is written over in a terminal, and elsewhere one when it has ended. */
function show(name: string, [left, all]: readonly [number, number], text: string): void {
  const full = Math.round((left / all) * BAR);
  const line = `  ${name.padEnd(6)}${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${String(left).padStart(3)}   ${text}`;
  if (process.stdout.isTTY && line !== shown) process.stdout.write(`\r\u001B[K${line}`);
  shown = line;
}

function endLine(): void {
  if (shown !== '') console.log(process.stdout.isTTY ? '' : shown);
  shown = '';
}
