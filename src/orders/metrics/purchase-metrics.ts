import type { FastifyInstance, FastifyReply, onRequestHookHandler } from 'fastify';
import { counter, DURATION_BUCKETS, gauge, histogram } from '../../telemetry/metrics.js';

const OUTCOMES = ['sold', 'short', 'not_found', 'invalid', 'overloaded', 'unavailable', 'replayed'] as const;

/** What became of a purchase. `unavailable` is also one whose commit nobody knows the outcome of. */
type PurchaseOutcome = (typeof OUTCOMES)[number];

/** Plain numbers, told when somebody asks for the metrics: a purchase looks up no series by its label. */
const purchases = new Map<PurchaseOutcome, number>();

counter({
  name: 'purchases_total',
  unit: 'purchases',
  help: 'Purchases that were asked for over HTTP, by what became of them.',
  labels: { outcome: OUTCOMES },
  collect() {
    this.reset();
    for (const [outcome, count] of purchases) this.inc({ outcome }, count);
  },
});

export const batchSize = histogram({
  name: 'purchase_batch_size',
  unit: 'purchases',
  help: 'Purchases that were committed together, under the row lock.',
  buckets: [1, 2, 4, 8, 16, 32, 64, 128],
});

export const batchWait = histogram({
  name: 'purchase_batch_wait_seconds',
  unit: 'seconds',
  help: 'How long the first purchase of a batch has waited for its turn.',
  buckets: DURATION_BUCKETS,
});

export const lockWait = histogram({
  name: 'purchase_lock_wait_seconds',
  unit: 'seconds',
  help: 'From the beginning of the transaction of a batch until it holds the locks of its products.',
  buckets: DURATION_BUCKETS,
});

export const purchasesWaiting = gauge({
  name: 'purchases_waiting',
  unit: 'purchases',
  help: 'Purchases that wait for their turn in this process.',
});

export const stockOuts = counter({
  name: 'stock_outs_total',
  unit: 'products',
  help: 'Sales and holds that took the last unit of a product, under the row lock.',
});

const OF_CODES: Readonly<Record<string, PurchaseOutcome>> = {
  INSUFFICIENT_STOCK: 'short',
  PRODUCT_NOT_FOUND: 'not_found',
  RESERVATION_NOT_FOUND: 'not_found',
  OVERLOADED: 'overloaded',
};

/** Counts the purchases of a server whose route for them is `path`. Call it before the routes are made. */
export function countPurchases(server: FastifyInstance, path: string): void {
  for (const outcome of OUTCOMES) purchases.set(outcome, purchases.get(outcome) ?? 0);
  server.addHook('onRoute', (route) => {
    if (route.method !== 'POST' || route.url !== path) return;
    const count: onRequestHookHandler = (_request, reply, done) => {
      // Also of one that is not answered, because nobody knows the outcome of its commit.
      reply.raw.once('close', () => {
        const outcome = outcomeOf(reply);
        purchases.set(outcome, (purchases.get(outcome) ?? 0) + 1);
      });
      done();
    };
    route.onRequest = [count, ...[route.onRequest ?? []].flat()];
  });
}

function outcomeOf(reply: FastifyReply): PurchaseOutcome {
  if (reply.hasHeader('Idempotent-Replayed')) return 'replayed';
  if (!reply.raw.writableFinished || reply.statusCode >= 500) {
    return reply.problemCode === 'OVERLOADED' ? 'overloaded' : 'unavailable';
  }
  if (reply.statusCode < 300) return 'sold';
  return OF_CODES[reply.problemCode ?? ''] ?? 'invalid';
}
