import path from 'node:path';
import pg from 'pg';
import { type Answer, createClient, type Client } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import type { Limits } from '../../src/config/limits.js';
import { setLimits, useLimits } from '../support/limits.js';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres-server.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { type RoleProcess, startRole } from '../support/role-process.js';
import { redisUrls } from '../support/services.js';
import { type Standby, startStandby } from '../support/standby.js';

const PRELOAD = path.resolve(import.meta.dirname, '../simulator/preload.ts');
/** More than the transactions that may have been lost. */
const MANY_TRANSACTIONS = 300;
const BUYERS = 8;

const portOf = (url: string) => Number(new URL(url).port);

describe('an API whose PostgreSQL is lost in the middle of commits', () => {
  let primary: OwnPostgres;
  let front: Proxy;
  let process: RoleProcess;
  let api: Client;
  let product: number;
  const cleanUps: (() => Promise<unknown>)[] = [];
  // From the loss to the new server, on a machine that is busy with other things.
  useLimits({ commitLookUpMs: 30_000 });

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  /** An API that reaches whichever server writes by one address, as behind a load balancer. */
  const setUp = async (bug = '', limits: Partial<Limits> = {}) => {
    setLimits(limits);
    primary = await startOwnPostgres({ settings: { wal_writer_delay: '10s', wal_keep_size: '256MB' } });
    cleanUps.push(primary.stop);
    front = await startProxy(portOf(primary.url));
    cleanUps.push(front.close);
    const url = Object.assign(new URL(primary.url), { port: String(front.port) });
    const variables = { ...redisUrls(), DATABASE_URL: url.href, SIMULATOR_BUG: bug };
    process = startRole([], variables, { preload: [PRELOAD] });
    cleanUps.push(() => process.end('SIGKILL'));
    api = createClient(await process.url());
    product = await api.createProduct({ stock: 1_000 });
  };

  const onServer = async <T extends pg.QueryResultRow>(
    url: string,
    text: string,
    values: unknown[] = [],
  ): Promise<T[]> => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    return (await client.query<T>(text, values).finally(() => client.end())).rows;
  };

  /** Gives the ids of transactions out that were lost, to others, which commit. */
  const goOn = async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (let n = 0; n < MANY_TRANSACTIONS; n++) await client.query('SELECT pg_current_xact_id()');
    await client.end();
  };

  /** But for the connections that only read, which nothing is wrong with. */
  const clientsOf = async (url: string) => {
    const others = `SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> 'order-system reads'`;
    return (await onServer(url, others)).length;
  };

  const keyOf = (buyer: number) => ({ 'Idempotency-Key': `buyer ${buyer}` });
  const buy = (buyer: number) => api.post('/orders', { product_id: product }, keyOf(buyer));
  const buyAll = () => Array.from({ length: BUYERS }, (_, buyer) => buy(buyer).catch(() => undefined));
  /** Buyers who were told of an order that is not theirs: it is lost, and its id may have been given to somebody else. */
  const deceived = async (url: string, answers: readonly (Answer | undefined)[]) => {
    const told = answers.flatMap((answer, buyer) => (answer?.status === 201 ? [[buyer, answer.body.id]] : []));
    const keys = await onServer<{ key: string; id: number }>(
      url,
      'SELECT key, order_id::int AS id FROM idempotency_keys JOIN orders ON orders.id = order_id',
    );
    return told.filter(([buyer, id]) => !keys.some((kept) => kept.key === `buyer ${buyer}` && kept.id === id));
  };
  /** Those that were not answered are sent again with their keys: then each has bought once, and stock and orders agree. */
  const expectEachHasBoughtOnce = async (url: string, answers: readonly (Answer | undefined)[]) => {
    for (const [buyer, answer] of answers.entries()) {
      if (answer?.status === 201) continue;
      await eventually(async () => expect((await buy(buyer)).status).toBe(201));
    }
    const rows = await onServer(
      url,
      'SELECT stock, (SELECT count(*)::int FROM orders) AS orders FROM products WHERE id = $1',
      [product],
    );
    expect(rows).toEqual([{ stock: 1_000 - BUYERS, orders: BUYERS }]);
  };

  describe('to a standby that has not heard of them', () => {
    let standby: Standby;

    const loseThePrimary = async (whileItOnlyReads: () => Promise<void> = () => Promise.resolve()) => {
      const replication = await startProxy(portOf(primary.url));
      cleanUps.push(replication.close);
      standby = await startStandby(primary, replication.port);
      cleanUps.push(standby.stop);
      replication.freeze();
      const buying = buyAll();
      await eventually(async () => {
        const waiting = await onServer(
          primary.url,
          `SELECT FROM pg_stat_activity JOIN pg_locks USING (pid)
           WHERE wait_event = 'SyncRep' AND relation = 'orders'::regclass AND mode = 'RowExclusiveLock'`,
        );
        expect(waiting.length).toBeGreaterThan(0);
      });
      front.freeze();
      await primary.end('SIGKILL');
      replication.cut();
      front.redirect(portOf(standby.url));
      await whileItOnlyReads();
      await standby.promote();
      await goOn(standby.url);
      front.thaw();
      return Promise.all(buying);
    };

    it('tells nobody of an order that is not there, is not ready while the standby only reads, and sells again after that', async () => {
      await setUp();
      const used = { body: { name: 'Kept', price: 1, stock: 1 }, key: keyOf(98) };
      await api.post('/products', used.body, used.key);
      const answers = await loseThePrimary(async () => {
        // The connections that were there are of the old primary.
        const other = startRole([], { ...redisUrls(), DATABASE_URL: standby.url });
        cleanUps.push(() => other.end('SIGKILL'));
        const reader = createClient(await other.url());
        const ready = await reader.get('/health/ready');
        expect([ready.status, ready.body.status, ready.body.checks.database]).toEqual([503, 'not_ready', false]);
        expect(ready.body.details.database.message).toContain('only reads');
        const writes = [
          reader.post('/orders', { product_id: product }),
          reader.post('/orders', { product_id: product }, keyOf(99)),
          reader.post('/reservations', { items: [{ product_id: product }] }),
          reader.put(`/products/${product}`, { price: 1 }),
          reader.delete(`/products/${product}`),
          reader.post('/products', { name: 'New', price: 1, stock: 1 }),
          reader.post(`/products/${product}/stock-adjustments`, { delta: 1, reason: 'found' }),
          reader.post('/orders/1/cancel'),
          reader.post('/products', used.body, used.key),
        ];
        for (const { status, headers, body } of await Promise.all(writes)) {
          expect([status, body.code, headers.get('Retry-After')]).toEqual([503, 'DATABASE_UNAVAILABLE', '1']);
        }
        // Each was refused on a connection of its own, and all were thrown away; idle ones would be there for ten seconds.
        await eventually(async () => expect(await clientsOf(standby.url)).toBe(0), 5_000);
        expect((await reader.get(`/products/${product}`)).status).toBe(200);
      });
      expect(await deceived(standby.url, answers)).toEqual([]);
      await expectEachHasBoughtOnce(standby.url, answers);
    }, 120_000);

    it('would tell of such orders if it asked any server what became of its commits', async () => {
      await setUp('look-up-on-any-server');
      const answers = await loseThePrimary();
      expect(await deceived(standby.url, answers)).not.toEqual([]);
    }, 120_000);
  });

  describe('by a crash from which it recovers', () => {
    /** The commit is not on disk, and after the crash its id is given to another transaction. */
    const crash = async () => {
      const committing = front.cutAt('before', 'sell-with-keys', 'COMMIT').then(() => front.freeze());
      const buying = buy(0).catch(() => undefined);
      await committing;
      await primary.end('SIGKILL');
      await primary.restart();
      await goOn(primary.url);
      front.thaw();
      return [await buying];
    };

    it('tells nobody of an order that is not there', async () => {
      await setUp('', { commitLookUpMs: 5_000 });
      const answers = await crash();
      expect(await deceived(primary.url, answers)).toEqual([]);
      expect(answers.filter((answer) => answer?.status === 201)).toEqual([]);
      expect((await buy(0)).status).toBe(201);
    }, 120_000);

    it('would tell of such an order if it asked the server after the crash as the one before', async () => {
      await setUp('look-up-on-any-server', { commitLookUpMs: 10_000 });
      expect(await deceived(primary.url, await crash())).not.toEqual([]);
    }, 120_000);
  });

  describe('whose standby does not answer', () => {
    beforeEach(async () => {
      await setUp();
      await onServer(primary.url, `ALTER SYSTEM SET synchronous_standby_names = 'gone'`);
      await onServer(primary.url, 'SELECT pg_reload_conf()');
    });

    /** Until the commit waits for the standby; then PostgreSQL gives up to wait, and says so in a warning. */
    const giveUp = async (request: Promise<Answer>) => {
      const answer = request.then(
        ({ status }) => status,
        () => 'no answer',
      );
      await eventually(async () => {
        const given = await onServer(
          primary.url,
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
        );
        expect(given.length).toBeGreaterThan(0);
      });
      return answer;
    };

    it('takes a commit that was not confirmed by the standby for none that it may answer', async () => {
      expect(await giveUp(buy(0))).toBe('no answer');
      expect(await giveUp(api.put(`/products/${product}`, { price: 5 }))).toBe('no answer');
      // What was committed here is not confirmed by being asked for again.
      expect(await giveUp(buy(0))).toBe('no answer');
      const adjust = () => api.post(`/products/${product}/stock-adjustments`, { delta: 1, reason: 'found' }, keyOf(1));
      expect([await giveUp(adjust()), await giveUp(adjust())]).toEqual(['no answer', 'no answer']);
      await onServer(primary.url, 'ALTER SYSTEM RESET synchronous_standby_names');
      await onServer(primary.url, 'SELECT pg_reload_conf()');
      const again = await buy(0);
      expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([201, 'true']);
    }, 120_000);
  });
});
