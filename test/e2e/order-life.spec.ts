import type { INestApplicationContext } from '@nestjs/common';
import { ORDER_STATUSES, type OrderStatus, TRANSITIONS } from '../../src/orders/order-status.js';
import { Redis } from 'ioredis';
import { type FulfilmentOrder, PermanentFulfilmentError } from '../../src/orders/processing/fulfilment-gateway.js';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';
import { useApi } from '../support/use-api.js';
import { type Fulfil, startWorker } from '../support/worker.js';

const UNDONE = ['cancelled', 'the fulfilment was cancelled at the gateway'];

describe('the life of an order', () => {
  const { environment, api } = useApi({ ORDER_ATTEMPTS: '2', ORDER_BACKOFF_MS: '5' });
  let worker: INestApplicationContext | undefined;

  afterEach(async () => {
    await worker?.close();
    worker = undefined;
  });

  const order = async (product_id: number, quantity = 1): Promise<number> =>
    (await api.post('/orders', { product_id, quantity })).body.id;
  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;
  const untilStatus = (id: number, status: string) =>
    eventually(async () => expect((await api.get(`/orders/${id}/status`)).body.status).toBe(status));
  const eventsOf = async (id: number) => {
    const { body } = await api.get(`/orders/${id}/events`);
    return body.items.map(({ status, cause }: { status: string; cause: string }) => [status, cause]);
  };

  it('is told from its beginning to its end, with times and causes', async () => {
    const id = await order(await api.createProduct());
    worker = await startWorker(environment.config);
    await untilStatus(id, 'completed');
    expect(await eventsOf(id)).toEqual([
      ['pending', 'bought'],
      ['processing', 'attempt 1'],
      ['completed', 'fulfilled'],
    ]);
    const { items } = (await api.get(`/orders/${id}/events`)).body;
    const times = items.map(({ created_at }: { created_at: string }) => Date.parse(created_at));
    expect(times).toEqual(times.toSorted((a: number, b: number) => a - b));
    expect(items.map(({ type, sequence, order_id }: Record<string, unknown>) => [type, sequence, order_id])).toEqual([
      ['order.created', 1, id],
      ['order.processing', 2, id],
      ['order.completed', 3, id],
    ]);
  });

  it('is told with each attempt, and why it failed', async () => {
    const id = await order(await api.createProduct());
    worker = await startWorker(environment.config, () => Promise.reject(new Error('card declined')));
    await untilStatus(id, 'failed');
    expect((await eventsOf(id)).slice(0, 4)).toEqual([
      ['pending', 'bought'],
      ['processing', 'attempt 1'],
      ['processing', 'attempt 2'],
      ['failed', 'the external call failed: Error: card declined'],
    ]);
  });

  it('has no history when there is no order', async () => {
    const { status, body } = await api.get('/orders/9999/events');
    expect([status, body.code]).toEqual([404, 'ORDER_NOT_FOUND']);
  });

  it('can be cancelled while it is pending; its stock goes back once, however often it is cancelled', async () => {
    const product = await api.createProduct({ stock: 5 });
    await api.get(`/products/${product}/cached`);
    const id = await order(product, 2);
    const first = await api.post(`/orders/${id}/cancel`, { reason: 'changed my mind' });
    expect([first.status, first.body]).toEqual([200, (await api.get(`/orders/${id}`)).body]);
    expect(first.body.status).toBe('cancelled');
    expect((await api.get(`/products/${product}/cached`)).body.stock).toBe(5);

    const again = await Promise.all(Array.from({ length: 10 }, () => api.post(`/orders/${id}/cancel`)));
    for (const { status, body } of again) expect([status, body]).toEqual([200, first.body]);
    expect(await stockOf(product)).toBe(5);
    expect(await eventsOf(id)).toEqual([
      ['pending', 'bought'],
      ['cancelled', 'cancelled: changed my mind'],
    ]);
    worker = await startWorker(environment.config, () => Promise.reject(new Error('must not be called')));
    expect((await api.get('/orders?status=cancelled')).body.items.map((item: { id: number }) => item.id)).toContain(id);
  });

  it('gives the stock of all its products back, also of a deleted one', async () => {
    const [kept, deleted] = [await api.createProduct({ stock: 5 }), await api.createProduct({ stock: 5 })];
    const items = [{ product_id: deleted, quantity: 2 }, { product_id: kept }];
    const { id } = (await api.post('/orders', { items })).body;
    await api.delete(`/products/${deleted}`);
    expect((await api.post(`/orders/${id}/cancel`)).status).toBe(200);
    const { rows } = await environment.sql.query('SELECT stock FROM products WHERE id = ANY ($1)', [[kept, deleted]]);
    expect(rows).toEqual([{ stock: 5 }, { stock: 5 }]);
  });

  it('can be cancelled while it is worked on, is not completed after that, and what its call did all the same is undone', async () => {
    let finish: () => void = () => undefined;
    const undone: [FulfilmentOrder, string][] = [];
    const product = await api.createProduct({ stock: 5, price: 12.5 });
    const id = await order(product, 2);
    let keyOfCall = '';
    worker = await startWorker(
      environment.config,
      (_id, { key }) => {
        keyOfCall = key;
        return new Promise((resolve) => (finish = resolve));
      },
      (cancelled, { key }) => {
        if (cancelled.id === id) undone.push([cancelled, key]);
        return undone.length < 3 ? Promise.reject(new Error('try again')) : Promise.resolve();
      },
    );
    await untilStatus(id, 'processing');
    expect((await api.post(`/orders/${id}/cancel`)).body.status).toBe('cancelled');
    await new Promise((resolve) => setImmediate(resolve));
    expect(undone).toEqual([]);
    finish();
    await eventually(async () => expect((await eventsOf(id)).slice(-2)).toEqual([['cancelled', 'cancelled'], UNDONE]));
    expect(keyOfCall).toMatch(/^[0-9a-f-]{36}$/);
    const items = [{ productId: product, quantity: 2, unitPrice: 1_250n }];
    const whole = { id, totalPrice: 2_500n, items, createdAt: expect.any(Date) };
    expect(undone).toEqual(Array.from({ length: 3 }, () => [whole, keyOfCall]));
    expect((await api.get(`/orders/${id}/events`)).body.items.at(-1)).toMatchObject({
      type: 'order.fulfilment_cancelled',
      sequence: 4,
    });
    expect(await stockOf(product)).toBe(5);
  });

  it.each([
    ['failed at the last attempt, and may have been fulfilled, is undone at the gateway', new Error('no answer'), 1],
    ['was refused by the gateway has nothing to be undone', new PermanentFulfilmentError('declined'), 0],
  ])('that %s', async (_what, error, undos) => {
    const cancelled: number[] = [];
    const cancel = async (order: FulfilmentOrder) => {
      cancelled.push(order.id);
    };
    const id = await order(await api.createProduct());
    worker = await startWorker(environment.config, () => Promise.reject(error), cancel);
    await untilStatus(id, 'failed');
    await eventually(async () => {
      expect((await environment.sql.query('SELECT FROM fulfilment_undos')).rowCount).toBe(0);
      expect((await eventsOf(id)).filter(([, cause]: string[]) => cause === UNDONE[1])).toHaveLength(undos);
    });
    // Orders of other tests may be undone as well.
    expect(cancelled.filter((each) => each === id)).toHaveLength(undos);
  });

  it('is undone by another worker when the one that called for it is gone, once the call must be over', async () => {
    const id = await order(await api.createProduct());
    worker = await startWorker(environment.config, () => new Promise(() => undefined));
    await untilStatus(id, 'processing');
    await api.post(`/orders/${id}/cancel`);
    const { rows } = await environment.sql.query(
      `SELECT order_id::integer AS id, due_at > clock_timestamp() AS "isLater" FROM fulfilment_undos`,
    );
    expect(rows).toEqual([{ id, isLater: true }]);
    await environment.sql.query('UPDATE fulfilment_undos SET due_at = clock_timestamp()');
    await eventually(async () => expect((await eventsOf(id)).at(-1)).toEqual(UNDONE));
  });

  describe('while its external call is under way', () => {
    /** A call that ends when it is aborted, and not before. */
    const untilAborted: Fulfil = (_id, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('?')));
      });
    /** Redis gives a hint to those who listen at that moment. */
    const untilListened = async () => {
      const redis = new Redis(environment.config.queue.url);
      try {
        await eventually(async () => {
          const [, listeners] = (await redis.pubsub('NUMSUB', 'order-system:cancelled-orders')) as [string, number];
          expect(listeners).toBeGreaterThan(0);
        });
      } finally {
        redis.disconnect();
      }
    };
    describe('and Redis tells the worker of it', () => {
      useLimits({ cancellationLookMs: 3_600_000 });

      it('can be cancelled, which aborts the call at once, and has it undone', async () => {
        const product = await api.createProduct({ stock: 5 });
        const ids = [await order(product), await order(product)];
        worker = await startWorker(environment.config, untilAborted);
        await untilListened();
        for (const id of ids) await untilStatus(id, 'processing');
        await api.post(`/orders/${ids[0]}/cancel`);
        await eventually(async () => expect((await eventsOf(ids[0] ?? 0)).at(-1)).toEqual(UNDONE));
        // The other one goes on.
        expect((await eventsOf(ids[1] ?? 0)).at(-1)).toEqual(['processing', 'attempt 1']);
        expect(await stockOf(product)).toBe(4);
        await api.post(`/orders/${ids[1]}/cancel`);
      });
    });

    describe('and nobody tells the worker of it', () => {
      useLimits({ cancellationLookMs: 100 });

      it('can be cancelled, which aborts the call at the next look', async () => {
        const id = await order(await api.createProduct());
        worker = await startWorker(environment.config, untilAborted);
        await untilStatus(id, 'processing');
        await environment.sql.query(`UPDATE orders SET status = 'cancelled' WHERE id = $1`, [id]);
        await eventually(async () => expect((await eventsOf(id)).at(-1)).toEqual(UNDONE));
      });
    });

    it('can be cancelled, and its call, which fails by itself after that, is not made again', async () => {
      let fail: (error: Error) => void = () => undefined;
      let calls = 0;
      const id = await order(await api.createProduct());
      worker = await startWorker(environment.config, () => {
        calls++;
        return new Promise((_resolve, reject) => (fail = reject));
      });
      await untilStatus(id, 'processing');
      await api.post(`/orders/${id}/cancel`);
      fail(new Error('the card is declined'));
      await eventually(async () => expect((await eventsOf(id)).at(-1)).toEqual(UNDONE));
      await worker.close();
      worker = undefined;
      expect(calls).toBe(1);
    });
  });

  it('can no longer be cancelled when it has ended, and is left as it is', async () => {
    const product = await api.createProduct({ stock: 5 });
    const id = await order(product);
    worker = await startWorker(environment.config);
    await untilStatus(id, 'completed');
    const { status, body } = await api.post(`/orders/${id}/cancel`);
    expect([status, body.code, body.detail]).toEqual([
      409,
      'ORDER_NOT_CANCELLABLE',
      `Order with ID ${id} is completed and can no longer be cancelled`,
    ]);
    expect(await stockOf(product)).toBe(4);
    expect((await api.post('/orders/9999/cancel')).body.code).toBe('ORDER_NOT_FOUND');
  });

  it('ends once when worker and customer race for it', async () => {
    const product = await api.createProduct({ stock: 100 });
    const ids = await Promise.all(Array.from({ length: 100 }, () => order(product)));
    worker = await startWorker(environment.config);
    const answers = await Promise.all(ids.map((id) => api.post(`/orders/${id}/cancel`)));
    for (const id of ids) {
      await eventually(async () =>
        expect(['completed', 'cancelled']).toContain((await api.get(`/orders/${id}/status`)).body.status),
      );
    }
    const cancelled = answers.filter(({ status }) => status === 200).length;
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect(await stockOf(product)).toBe(cancelled);
    const { rows } = await environment.sql.query(
      `SELECT count(*)::int AS ends FROM order_events WHERE order_id = ANY ($1) AND status IN ('completed', 'cancelled')
       AND type IS NULL`,
      [ids],
    );
    expect(rows).toEqual([{ ends: 100 }]);
  });

  it('lets the second of two who end it wait for the first, and find it ended', async () => {
    const id = await order(await api.createProduct());
    const holder = await openTransaction(environment.sql);
    await holder.query(`UPDATE orders SET status = 'processing' WHERE id = $1`, [id]);
    await holder.query(`UPDATE orders SET status = 'completed' WHERE id = $1`, [id]);
    const cancelling = api.post(`/orders/${id}/cancel`);
    await untilBlockedBy(environment.sql, holder.pid, 1);
    await holder.end('COMMIT');
    expect((await cancelling).status).toBe(409);
  });

  it.each([{ reason: '' }, { reason: 7 }, { reason: null }, { reason: 'a'.repeat(256) }, { other: 1 }])(
    'refuses to cancel for %j',
    async (body) => {
      const id = await order(await api.createProduct());
      expect((await api.post(`/orders/${id}/cancel`, body)).status).toBe(422);
      expect(await eventsOf(id)).toHaveLength(1);
    },
  );

  it('knows the same transitions in the database as in the code, and no other', async () => {
    const { sql } = environment;
    const waysTo: Record<OrderStatus, OrderStatus[]> = {
      pending: [],
      processing: ['processing'],
      completed: ['processing', 'completed'],
      failed: ['processing', 'failed'],
      cancelled: ['cancelled'],
    };
    for (const from of ORDER_STATUSES) {
      for (const to of ORDER_STATUSES) {
        const { rows } = await sql.query('INSERT INTO orders (total_price) VALUES (1) RETURNING id');
        const set = (status: string) => sql.query('UPDATE orders SET status = $2 WHERE id = $1', [rows[0].id, status]);
        for (const step of waysTo[from]) await set(step);
        const isAllowed = await set(to).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: '23514', constraint: 'orders_status_transition' });
            return false;
          },
        );
        expect([from, to, isAllowed]).toEqual([from, to, from === to || TRANSITIONS[from].includes(to)]);
      }
    }
  });

  it('gives an order that is changed by hand the time of the change, unless one is given', async () => {
    const id = await order(await api.createProduct());
    const change = async (set: string) =>
      environment.sql.query(`UPDATE orders SET ${set} WHERE id = $1 RETURNING updated_at, clock_timestamp() AS now`, [
        id,
      ]);
    const { rows: changed } = await change('total_price = total_price + 1');
    expect(changed[0].now - changed[0].updated_at).toBeLessThan(1_000);
    const { rows: given } = await change(`updated_at = '2026-01-01T00:00:00Z'`);
    expect(given[0].updated_at).toEqual(new Date('2026-01-01T00:00:00Z'));
  });
});
