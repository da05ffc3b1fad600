import type { Metric as PrometheusMetric } from '@prometheus-io/client';
import { ObservedGauges } from '../telemetry/observed-gauges.js';
import { COMPLETION_BUCKETS, DURATION_BUCKETS, registry } from '../telemetry/metrics.js';

/** What became of purchases (`purchases_total`), in the order in which counts of them are stored. */
export const PURCHASE_OUTCOMES = [
  'sold',
  'short',
  'not_found',
  'invalid',
  'overloaded',
  'unavailable',
  'replayed',
] as const;

const PURCHASE_PATH = '/api/v1/orders';

/** What a process has counted since it started, or what it has added since then. */
export interface Counts {
  readonly purchases: readonly number[];
  readonly purchaseDurations: readonly number[];
  readonly completed: number;
  readonly failed: number;
  readonly completionDurations: readonly number[];
  readonly stockOuts: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly serverErrors: number;
  /** Problems that were answered, by their code. */
  readonly errors: Readonly<Record<string, number>>;
}

/** What the whole shop has to do. */
export interface Backlog {
  readonly openOrders: number;
  readonly oldestOpenAgeSeconds: number;
}

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly metricName?: string;
}

/** Reads what the process has counted from its metrics. A metric that the process does not have counts nothing. */
export async function readCounts(): Promise<Counts> {
  const [purchases, requests, ended, completions, stockOuts, cache, problems] = await Promise.all(
    [
      'purchases_total',
      'http_server_request_duration_seconds',
      'orders_ended_total',
      'order_completion_seconds',
      'stock_outs_total',
      'cache_requests_total',
      'http_server_problems_total',
    ].map(samplesOf),
  );
  const isPurchase = ({ labels }: Sample) =>
    labels.http_request_method === 'POST' && labels.http_route === PURCHASE_PATH;
  const isFailure = ({ labels, metricName }: Sample) =>
    metricName?.endsWith('_count') === true && String(labels.http_response_status_code).startsWith('5');
  return {
    purchases: PURCHASE_OUTCOMES.map((outcome) => sumOf(purchases, ({ labels }) => labels.outcome === outcome)),
    purchaseDurations: bucketsOf(requests?.filter(isPurchase), DURATION_BUCKETS),
    completed: sumOf(ended, ({ labels }) => labels.status === 'completed'),
    failed: sumOf(ended, ({ labels }) => labels.status === 'failed'),
    completionDurations: bucketsOf(completions, COMPLETION_BUCKETS),
    stockOuts: sumOf(stockOuts),
    cacheHits: sumOf(cache, ({ labels }) => labels.outcome === 'hit'),
    cacheMisses: sumOf(cache, ({ labels }) => labels.outcome === 'miss'),
    serverErrors: sumOf(requests, isFailure),
    errors: Object.fromEntries((problems ?? []).map(({ labels, value }) => [String(labels.code), value])),
  };
}

/** Has the backlog observed; gives `undefined` when it cannot be. */
export async function readBacklog(): Promise<Backlog | undefined> {
  await ObservedGauges.readFor('orders_open');
  const [open, age] = await Promise.all(['orders_open', 'orders_oldest_open_age_seconds'].map(samplesOf));
  if (open === undefined || open.length === 0 || age === undefined || age.length === 0) return undefined;
  return { openOrders: sumOf(open), oldestOpenAgeSeconds: sumOf(age) };
}

/** The largest share of its connections to PostgreSQL that a pool of this process uses now, from 0 to 1. */
export async function readPoolUsage(): Promise<number | undefined> {
  await ObservedGauges.readFor('db_client_connection_count');
  const [connections, max] = await Promise.all(
    ['db_client_connection_count', 'db_client_connection_max'].map(samplesOf),
  );
  const shares = (max ?? [])
    .filter(({ value }) => value > 0)
    .map(({ value, labels: { db_client_connection_pool_name: name } }) => {
      const isUsed = ({ labels }: Sample) => labels.state === 'used' && labels.db_client_connection_pool_name === name;
      return sumOf(connections, isUsed) / value;
    });
  return shares.length === 0 ? undefined : Math.max(...shares);
}

/** Workers of the whole shop; `undefined` when it cannot be told. */
export async function readWorkersAlive(): Promise<number | undefined> {
  return sumOfObserved('workers_alive');
}

/** Whether the queue's Redis answers this process; `undefined` in a process that does not ask it. */
export async function readQueueAvailable(): Promise<boolean | undefined> {
  if (registry.getSingleMetric('jobs') === undefined) return undefined;
  return (await sumOfObserved('jobs')) !== undefined;
}

async function sumOfObserved(name: string): Promise<number | undefined> {
  await ObservedGauges.readFor(name);
  const samples = await samplesOf(name);
  return samples === undefined || samples.length === 0 ? undefined : sumOf(samples);
}

/** What was counted between two readings of one process. */
export function difference(now: Counts, before: Counts): Counts {
  const minus = (a: readonly number[], b: readonly number[]) => a.map((value, index) => value - (b[index] ?? 0));
  return {
    purchases: minus(now.purchases, before.purchases),
    purchaseDurations: minus(now.purchaseDurations, before.purchaseDurations),
    completed: now.completed - before.completed,
    failed: now.failed - before.failed,
    completionDurations: minus(now.completionDurations, before.completionDurations),
    stockOuts: now.stockOuts - before.stockOuts,
    cacheHits: now.cacheHits - before.cacheHits,
    cacheMisses: now.cacheMisses - before.cacheMisses,
    serverErrors: now.serverErrors - before.serverErrors,
    errors: Object.fromEntries(
      Object.entries(now.errors)
        .map(([code, count]): [string, number] => [code, count - (before.errors[code] ?? 0)])
        .filter(([, added]) => added > 0),
    ),
  };
}

export function isNothing(counts: Counts): boolean {
  const { errors, ...others } = counts;
  return [...Object.values(others).flat(), ...Object.values(errors)].every((value) => value === 0);
}

async function samplesOf(name: string): Promise<readonly Sample[] | undefined> {
  const metric: PrometheusMetric | undefined = registry.getSingleMetric(name);
  return (await metric?.get())?.values;
}

function sumOf(samples: readonly Sample[] | undefined, matches: (sample: Sample) => boolean = () => true): number {
  return (samples ?? []).filter(matches).reduce((sum, { value }) => sum + value, 0);
}

/** Counts of each bucket alone; the library gives each with all below it. */
function bucketsOf(samples: readonly Sample[] | undefined, bounds: readonly number[]): number[] {
  const upTo = [...bounds, '+Inf'].map((bound) => sumOf(samples, ({ labels }) => labels.le === bound));
  return upTo.map((count, index) => count - (upTo[index - 1] ?? 0));
}
