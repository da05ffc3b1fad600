import { Redis } from 'ioredis';
import type { Config } from '../../src/config/config.js';
import { jobIdOf, ORDERS_QUEUE, processOrderJob } from '../../src/orders/processing/order-jobs.js';

/** As BullMQ leaves a job whose workers have died too often; by workers that do, in test/faults/dead-letters.spec.ts. */
export async function failAsStalled({ queue, orders }: Config, id: number, payload?: unknown): Promise<void> {
  const redis = new Redis(queue.url);
  const { name, data, opts } = processOrderJob(id, orders);
  const fields = {
    name,
    data: JSON.stringify(payload ?? data),
    opts: JSON.stringify(opts),
    timestamp: Date.now(),
    delay: 0,
    priority: 0,
  };
  await redis.lrem(`bull:${ORDERS_QUEUE}:wait`, 0, jobIdOf(id));
  await redis.hset(`bull:${ORDERS_QUEUE}:${jobIdOf(id)}`, {
    ...fields,
    failedReason: 'job stalled more than allowable limit',
    finishedOn: Date.now(),
    atm: 1,
  });
  await redis.zadd(`bull:${ORDERS_QUEUE}:failed`, Date.now(), jobIdOf(id));
  redis.disconnect();
}
