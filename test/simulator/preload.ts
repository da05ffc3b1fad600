/**
 * Loaded before the entry of an API or a worker (`node --import`): its external call goes to the provider of the simulator, and
 * it may be given a bug on purpose. Production knows neither.
 */
import 'reflect-metadata';
import pg from 'pg';
import type { FulfilmentOptions } from '../../src/orders/processing/fulfilment-gateway.ts';
import { POISONED } from './provider.ts';

export const BUGS = ['check-outside-the-lock', 'answer-before-the-flush', 'look-up-on-any-server'] as const;
export type Bug = (typeof BUGS)[number];

const { SIMULATOR_PROVIDER: provider = '', SIMULATOR_BUG: bug } = process.env;
const DIST = '../../dist/src/orders/processing';

if (provider !== '') {
  const { SimulatedFulfilmentGateway } = await import(`${DIST}/simulated-fulfilment-gateway.js`);
  const { PermanentFulfilmentError } = await import(`${DIST}/fulfilment-gateway.js`);
  SimulatedFulfilmentGateway.prototype.fulfil = async (orderId: number, options: FulfilmentOptions) => {
    const { status } = await fetch(provider, {
      method: 'POST',
      headers: { 'Idempotency-Key': options.idempotencyKey },
      body: String(orderId),
      signal: options.signal,
    });
    if (status === POISONED) {
      process.stdout.write('This order is poison\n');
      process.kill(process.pid, 'SIGKILL');
    }
    if (status === 422) throw new PermanentFulfilmentError('refused by the provider');
    if (status !== 200) throw new Error(`the provider answered ${status}`);
  };
}

const REWRITES: Record<Bug, (text: string) => string> = {
  'check-outside-the-lock': (text) => text.replace(/(FROM "products" .*) FOR UPDATE$/, '$1'),
  'answer-before-the-flush': (text) =>
    text.startsWith('BEGIN') ? `${text}; SET LOCAL synchronous_commit TO off` : text,
  'look-up-on-any-server': (text) => text.replace(/CASE WHEN .* = \$2 THEN/, 'CASE WHEN $2::text IS NOT NULL THEN'),
};

if (bug !== undefined && bug !== '') {
  const rewrite = REWRITES[bug as Bug];
  const { prototype } = pg.Client as unknown as { prototype: { query: (...values: unknown[]) => unknown } };
  const { query } = prototype;
  prototype.query = function (this: unknown, ...values: unknown[]) {
    const [first, ...rest] = values;
    if (typeof first === 'string') return query.call(this, rewrite(first), ...rest);
    const config = first as { text?: string; submit?: unknown };
    if (typeof config.text !== 'string' || config.submit !== undefined) return query.apply(this, values);
    return query.call(this, { ...config, text: rewrite(config.text) }, ...rest);
  };
}
