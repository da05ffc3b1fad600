/** The plug-in of the simulator's workers: orders are fulfilled by its provider, and its subscriber tells the provider of events. */
import type { FulfilmentOptions, FulfilmentOrder, Plugin } from '../../src/index.ts';
import type * as System from '../../src/index.ts';
import { POISONED } from './provider.ts';

const { SIMULATOR_PROVIDER: provider = '' } = process.env;
/** Of the build, as the worker has it: not known to the compiler. */
const BUILD: string = '../../dist/src/index.js';
const { PermanentFulfilmentError } = (await import(BUILD)) as typeof System;

async function call(path: string, { id }: FulfilmentOrder, { key, signal }: FulfilmentOptions): Promise<void> {
  const headers = { 'Idempotency-Key': key };
  const { status } = await fetch(new URL(path, provider), { method: 'POST', headers, body: String(id), signal });
  if (status === POISONED) {
    process.stdout.write('This order is poison\n');
    process.kill(process.pid, 'SIGKILL');
  }
  if (status === 422) throw new PermanentFulfilmentError('refused by the provider');
  if (status !== 200) throw new Error(`the provider answered ${status}`);
}

export default {
  name: 'simulator',
  fulfilment: {
    fulfil: async (order, options) => {
      await call('/fulfil', order, options);
      return { outcome: 'done' };
    },
    cancel: (order, options) => call('/cancel', order, options),
  },
  subscribers: [
    {
      name: 'simulator',
      from: 'beginning',
      handler: async ({ id, orderId, sequence }) => {
        const body = JSON.stringify([id, orderId, sequence]);
        const { status } = await fetch(new URL('/event', provider), { method: 'POST', body });
        if (status !== 200) throw new Error(`the provider answered ${status}`);
      },
    },
  ],
} satisfies Plugin;
