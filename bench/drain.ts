/** How fast one worker process brings orders to their end, when the external call takes no time. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { load } from './load.ts';
import { purchases, type Shop } from './shop.ts';
import { type Process, type Stage, startWorker } from './stage.ts';

export interface Drained {
  stage: Stage;
  shop: Shop;
  api: Process;
  /** By which its requests are let in. */
  key?: string | undefined;
  /** Of the worker, when it is not this one. */
  checkout?: string;
  processorTimeOf?: (pid: number) => number;
}

const SELL_SECONDS = 2;
const TIMEOUT_MS = 60_000;

/**
 * Sells for two seconds with no worker there, then starts one. Gives orders a second from the first that it completes to the last, and
 * the microseconds of the worker's processor time for each.
 */
export async function drain(
  { stage, shop, api, key, checkout, processorTimeOf = () => 0 }: Drained,
  concurrency: number,
): Promise<{ rate: number; cost: number }> {
  await emptyQueue(stage.queueUrl);
  await shop.open(100);
  await load({ url: api.url, key, requests: purchases(100), connections: 64, seconds: SELL_SECONDS });
  await shop.settle();
  const worker = startWorker(stage, { WORKER_CONCURRENCY: String(concurrency) }, checkout);
  try {
    const deadline = Date.now() + TIMEOUT_MS;
    const { rows } = await stage.sql.query<{ count: number }>('SELECT count(*)::integer FROM orders');
    const all = rows[0]?.count ?? 0;
    const open = async () => {
      const { rows: left } = await stage.sql.query<{ count: number }>(
        `SELECT count(*)::integer FROM orders WHERE status IN ('pending', 'processing')`,
      );
      if (Date.now() > deadline) throw new Error('The worker did not process all orders in a minute');
      return left[0]?.count ?? 0;
    };
    while ((await open()) === all) await delay(20);
    const startedAt = performance.now();
    const begun = await open();
    const spent = processorTimeOf(worker.pid);
    while ((await open()) > 0) await delay(100);
    const rate = (begun * 1_000) / (performance.now() - startedAt);
    return { rate, cost: (processorTimeOf(worker.pid) - spent) / begun };
  } finally {
    await worker.stop();
  }
}

/** Earlier loads have left jobs of orders that are no longer there. */
async function emptyQueue(url: string): Promise<void> {
  const client = new Redis(url);
  await client.flushdb().finally(() => client.disconnect());
}
