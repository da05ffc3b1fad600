import type { INestApplicationContext } from '@nestjs/common';
import { Readable, Writable } from 'node:stream';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { backUp } from '../../src/backup/back-up.js';
import { restore } from '../../src/backup/restore.js';
import { readPrepared } from '../../src/database/prepared-statement.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { ParkedEventsService } from '../../src/events/parked-events.service.js';
import { SettledEvents } from '../../src/events/settled-events.js';
import type { Subscriber } from '../../src/events/subscriber.js';
import { type OrderEvent, selectOrdersAfter } from '../../src/orders/history/order-event.js';
import { createWorker } from '../../src/roles/worker/create-worker.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { startOwnPostgres } from '../support/postgres-server.js';
import { openTransaction } from '../support/waiting.js';

const PROMPT = { ORDER_PROCESSING_DELAY_MS: '0' };
const RECORD = `
  WITH sold AS (INSERT INTO orders (total_price) VALUES (1) RETURNING id)
  INSERT INTO order_events (order_id, status, cause) SELECT id, 'pending', 'bought' FROM sold RETURNING id`;

describe('the log of order events', () => {
  let environment: Environment;
  let api: Api;

  beforeEach(async () => {
    environment = await createEnvironment(PROMPT);
    api = await startApi(environment.config);
  });

  afterEach(async () => {
    await api.close();
    await environment.close();
  });

  const reader = () => new SettledEvents(api.app.get(DataSource));
  const idsOf = ({ events }: { events: readonly OrderEvent[] }) => events.map(({ id }) => id);
  const record = async () => Number((await environment.sql.query(RECORD)).rows[0].id);
  const recordIn = async (transaction: Awaited<ReturnType<typeof openTransaction>>) =>
    Number((await transaction.query(RECORD, [])).rows[0].id);

  it('has no row for a look that finds nothing: on a standby, what a row tells of the snapshot is an error', async () => {
    expect(await readPrepared(api.app.get(DataSource), selectOrdersAfter(Number.MAX_SAFE_INTEGER, 10))).toEqual([]);
  });

  it('skips no event that commits after one with a higher id', async () => {
    const [events, other] = [reader(), reader()];
    const first = await record();
    const late = await openTransaction(environment.sql);
    const second = await recordIn(late);
    const third = await record();
    expect(third).toBeGreaterThan(second);
    for (let look = 0; look < 3; look++) expect(idsOf(await events.after(0, 100))).toEqual([first]);
    expect(idsOf(await events.after(first, 100))).toEqual([]);
    await late.end('COMMIT');
    expect(idsOf(await events.after(first, 100))).toEqual([second, third]);
    expect(idsOf(await other.after(0, 2))).toEqual([first, second]);
    expect(idsOf(await other.after(second, 2))).toEqual([third]);
  });

  it('goes on behind an event that was rolled back, and waits for no transaction that began later', async () => {
    const events = reader();
    const lost = await openTransaction(environment.sql);
    await recordIn(lost);
    const behind = await record();
    expect(idsOf(await events.after(0, 100))).toEqual([]);
    const later = await openTransaction(environment.sql);
    await later.query('UPDATE products SET stock = stock WHERE false', []);
    const last = await recordIn(later);
    await lost.end('ROLLBACK');
    // Transactions of other tests count as well: they share the cluster.
    await eventually(async () => expect(idsOf(await events.after(0, 100))).toEqual([behind]), 30_000);
    expect(idsOf(await events.after(behind, 100))).toEqual([]);
    await later.end('COMMIT');
    expect(idsOf(await events.after(behind, 100))).toEqual([last]);
  }, 60_000);

  it('leaves out what the release before has noted after the end of an order', async () => {
    const { rows } = await environment.sql.query(
      `WITH sold AS (INSERT INTO orders (total_price) VALUES (1) RETURNING id)
       INSERT INTO order_events (order_id, status, cause)
       SELECT id, status, 'x' FROM sold CROSS JOIN unnest('{pending,cancelled,cancelled}'::text[]) AS status RETURNING id`,
    );
    const [first, second, note] = rows.map(({ id }) => Number(id));
    const { events, last } = await reader().after(0, 100);
    expect([events.map(({ id, sequence }) => [id, sequence]), last]).toEqual([
      [
        [first, 1],
        [second, 2],
      ],
      note,
    ]);
  });

  it('tells of each event once, and of an order in its order, while shoppers buy and cancel', async () => {
    const product_id = await api.createProduct({ stock: 100_000 });
    const worker = await createWorker(environment.config);
    const events = reader();
    const read: OrderEvent[] = [];
    const over = new AbortController();
    const reading = (async () => {
      for (let misses = 0; !over.signal.aborted || misses < 5;) {
        const { events: page } = await events.after(read.at(-1)?.id ?? 0, 50);
        read.push(...page);
        misses = page.length === 0 ? misses + 1 : 0;
      }
    })();
    const shopper = async () => {
      for (let purchase = 0; purchase < 20; purchase++) {
        const { body } = await api.post('/orders', { product_id });
        if (purchase % 3 === 0) await api.post(`/orders/${body.id}/cancel`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, shopper));
    await eventually(async () => {
      const { rows } = await environment.sql.query(
        `SELECT count(*)::int AS open FROM orders WHERE status IN ('pending', 'processing')`,
      );
      expect(rows).toEqual([{ open: 0 }]);
    });
    await worker.close();
    over.abort();
    await reading;
    const { rows } = await environment.sql.query('SELECT id FROM order_events ORDER BY id');
    expect(rows.length).toBeGreaterThan(800);
    expect(read.map(({ id }) => id)).toEqual(rows.map(({ id }) => Number(id)));
    for (const ofOrder of Map.groupBy(read, ({ orderId }) => orderId).values()) {
      expect(ofOrder.map(({ sequence }) => sequence)).toEqual(ofOrder.map((_event, index) => index + 1));
      expect(ofOrder[0]?.type).toBe('order.created');
    }
  }, 90_000);
});

describe('a subscriber of order events', () => {
  useLimits({ subscriberTries: 3, subscriberBackoffMs: 20, subscriptionHoldMs: 2_000 });
  let environment: Environment;
  let api: Api;
  const workers: INestApplicationContext[] = [];

  beforeEach(async () => {
    environment = await createEnvironment(PROMPT);
    api = await startApi(environment.config);
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
    await api.close();
    await environment.close();
  });

  const start = async (...subscribers: Subscriber[]) => {
    const worker = await createWorker(environment.config, { subscribers });
    workers.push(worker);
    return worker;
  };
  const buy = async (product_id: number) => (await api.post('/orders', { product_id })).body.id as number;
  const typesOf = (events: readonly OrderEvent[], id: number) =>
    events.filter(({ orderId }) => orderId === id).map(({ type }) => type);
  const WHOLE_LIFE = ['order.created', 'order.processing', 'order.completed'];

  it('is told from the beginning, or from now on, and goes on where it was when a worker takes over', async () => {
    const product = await api.createProduct({ stock: 100 });
    const early = await buy(product);
    const [old, young]: [OrderEvent[], OrderEvent[]] = [[], []];
    const subscribers = (): [Subscriber, Subscriber] => [
      { name: 'old', from: 'beginning', handler: (event) => void old.push(event) },
      { name: 'young', handler: (event) => void young.push(event) },
    ];
    const first = await start(...subscribers());
    await eventually(() => expect(typesOf(old, early)).toEqual(WHOLE_LIFE));
    await eventually(async () => {
      const { rows } = await environment.sql.query('SELECT name FROM event_subscriptions ORDER BY name');
      expect(rows).toEqual([{ name: 'old' }, { name: 'young' }]);
    });
    const late = await buy(product);
    await eventually(() => expect(typesOf(young, late)).toEqual(WHOLE_LIFE));
    expect(typesOf(young, early)).not.toContain('order.created');
    await first.close();
    workers.splice(0);
    const meanwhile = await buy(product);
    await start(...subscribers());
    await eventually(() => expect(typesOf(young, meanwhile)).toEqual(WHOLE_LIFE));
    await eventually(() => expect(typesOf(old, meanwhile)).toEqual(WHOLE_LIFE));
    expect(old).toHaveLength(9);
  });

  it('is told by one worker at a time, and by another one when that is gone', async () => {
    const product = await api.createProduct({ stock: 100 });
    const heard: string[] = [];
    const subscriber = (worker: string): Subscriber => ({
      name: 'one',
      from: 'beginning',
      handler: ({ id }) => void heard.push(`${worker} ${id}`),
    });
    await start(subscriber('a'));
    await start(subscriber('b'));
    for (let order = 0; order < 20; order++) await buy(product);
    await eventually(() => expect(heard).toHaveLength(60));
    expect(new Set(heard.map((each) => each.split(' ')[1])).size).toBe(60);
    // As when the process is killed: nobody lets go of the subscription.
    await environment.sql.query(
      `UPDATE event_subscriptions SET holder = gen_random_uuid(), held_until = clock_timestamp() + interval '1 s'`,
    );
    const id = await buy(product);
    await eventually(() => expect(heard).toHaveLength(63));
    expect(id).toBeGreaterThan(0);
  });

  it('holds up only the order of an event that it fails for, which is tried again, then parked, listed and retried', async () => {
    const product = await api.createProduct({ stock: 100 });
    let fails: (event: OrderEvent) => boolean = () => false;
    const heard: OrderEvent[] = [];
    const failing = await buy(product);
    fails = ({ orderId, sequence }) => orderId === failing && sequence === 2;
    let tries = 0;
    const worker = await start({
      name: 'fails',
      from: 'beginning',
      handler: (event) => {
        if (fails(event)) {
          tries++;
          throw new Error('not now');
        }
        heard.push(event);
      },
    });
    const other = await buy(product);
    await eventually(() => expect(typesOf(heard, other)).toEqual(WHOLE_LIFE));
    // Parked after its tries, it lets the later events of its order go on.
    await eventually(() => expect(typesOf(heard, failing)).toEqual(['order.created', 'order.completed']));
    expect(tries).toBe(3);
    const service = new ParkedEventsService(worker.get(DataSource), worker.get(TransactionRunner, { strict: false }));
    const parked = { subscription: 'fails', orderId: failing, attempts: 3, error: 'Error: not now' };
    expect(await service.list()).toMatchObject([parked]);
    fails = () => false;
    expect(await service.retry()).toBe(1);
    await eventually(() => expect(typesOf(heard, failing)).toContain('order.processing'));
    expect(await service.list()).toEqual([]);
    await eventually(async () =>
      expect((await environment.sql.query('SELECT FROM event_deliveries')).rowCount).toBe(0),
    );
  });

  it('does not hold up the stop of its worker, and is told the rest by the next one', async () => {
    const product = await api.createProduct({ stock: 100 });
    for (let order = 0; order < 20; order++) await buy(product);
    const slow = await start({ name: 'one', from: 'beginning', handler: () => new Promise(() => undefined) });
    await eventually(async () => {
      const { rows } = await environment.sql.query('SELECT FROM event_subscriptions WHERE holder IS NOT NULL');
      expect(rows).toHaveLength(1);
    });
    const before = performance.now();
    await slow.close();
    expect(performance.now() - before).toBeLessThan(5_000);
    workers.splice(0);
    class Collector implements Subscriber {
      readonly name = 'one';
      readonly heard: OrderEvent[] = [];
      handler(event: OrderEvent): void {
        this.heard.push(event);
      }
    }
    const collector = new Collector();
    await start(collector);
    await eventually(() => expect(collector.heard).toHaveLength(60));
    for (const ofOrder of Map.groupBy(collector.heard, ({ orderId }) => orderId).values()) {
      expect(ofOrder.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    }
  });

  it('is told of every event after a restore into another cluster', async () => {
    const product = await api.createProduct({ stock: 100 });
    const heard: OrderEvent[] = [];
    const subscriber: Subscriber = { name: 'one', from: 'beginning', handler: (event) => void heard.push(event) };
    const before = await buy(product);
    const first = await start(subscriber);
    await eventually(() => expect(typesOf(heard, before)).toEqual(WHOLE_LIFE));
    await first.close();
    workers.splice(0);
    const unheard = await buy(product);
    const chunks: Buffer[] = [];
    const output = new Writable({ write: (chunk: Buffer, _encoding, done) => done(void chunks.push(chunk)) });
    await backUp(environment.config.database.url, output, () => undefined);

    const postgres = await startOwnPostgres();
    const urls = { url: postgres.url, ownerUrl: postgres.url };
    const config = { ...environment.config, database: { ...environment.config.database, ...urls } };
    try {
      await restore(config, Readable.from(chunks), { actor: 'command:test', report: () => undefined });
      const restored = await startApi(config);
      const worker = await createWorker(config, { subscribers: [subscriber] });
      const { body } = await restored.post('/orders', { product_id: product });
      await eventually(() => expect(typesOf(heard, body.id)).toEqual(WHOLE_LIFE));
      await eventually(() => expect(typesOf(heard, unheard)).toEqual(WHOLE_LIFE));
      const sql = new pg.Client({ connectionString: postgres.url });
      await sql.connect();
      const { rows } = await sql.query('SELECT id FROM order_events ORDER BY id');
      await sql.end();
      expect([...new Set(heard.map(({ id }) => id))].sort((a, b) => a - b)).toEqual(rows.map(({ id }) => Number(id)));
      await worker.close();
      await restored.close();
    } finally {
      await postgres.stop();
    }
  }, 60_000);
});
