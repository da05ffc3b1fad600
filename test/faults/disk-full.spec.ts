import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { AuditService } from '../../src/audit/audit.service.js';
import { loadConfig } from '../../src/config/config.js';
import { type Api, startApi } from '../support/api.js';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres-server.js';
import { redisUrls } from '../support/services.js';
import { eventually } from '../support/eventually.js';

const execute = promisify(execFile);
/** Room for a new cluster, its log and some ten thousand orders. */
const DISK = '180m';
const STOCK = 1_000_000;

const directory = await createTemporaryFolder('disk');
const disk = path.join(directory, 'disk');
const ballast = path.join(disk, 'ballast');
/** A small disk can be had as root where mounting is allowed; in a container it may not be. */
const isMounted = mountDisk();
const itOnSmallDisk = isMounted ? it : it.skip;

function mountDisk(): boolean {
  mkdirSync(disk);
  const options = `size=${DISK},mode=755,uid=${process.getuid?.() ?? 0}`;
  const commands = [['mount'], ['sudo', '-n', 'mount']].map((command) => [...command, '-t', 'tmpfs', '-o', options]);
  return commands.some(([program = '', ...args]) => {
    try {
      execFileSync(program, [...args, 'tmpfs', disk], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

describe('the API while the disk of PostgreSQL is full (skipped where no small disk can be mounted)', () => {
  let postgres: OwnPostgres | undefined;
  let api: Api | undefined;

  afterEach(async () => {
    await api?.close();
    await postgres?.stop();
    await rm(ballast, { force: true });
  });

  afterAll(async () => {
    if (isMounted) {
      const [program = '', ...args] = process.getuid?.() === 0 ? ['umount'] : ['sudo', '-n', 'umount'];
      await execute(program, [...args, '-l', disk]);
    }
    await rm(directory, { recursive: true, force: true });
  });

  const setUp = async () => {
    const settings = { max_wal_size: '32MB', min_wal_size: '32MB', wal_init_zero: 'off' };
    const server = await startOwnPostgres({ directory: path.join(disk, 'postgres'), settings });
    postgres = server;
    const running = await startApi(loadConfig({ ...redisUrls(), LOG_LEVEL: 'error', DATABASE_URL: server.url }, 'api'));
    api = running;
    const product = await running.createProduct({ stock: STOCK });
    const sold: number[] = [];
    let unanswered = 0;
    const buy = async () => {
      const answer = await running.post('/orders', { product_id: product, quantity: 2 }).catch(() => undefined);
      if (answer === undefined) unanswered++;
      if (answer?.status === 201) sold.push(answer.body.id);
      return answer;
    };
    /** Buys until so many were not sold anything; gives what they were told. */
    const buyUntilRefused = async (most: number) => {
      const others: unknown[] = [];
      for (let round = 0; round < 400 && others.length < most; round++) {
        const answers = await Promise.all(Array.from({ length: 50 }, () => buy()));
        const refused = answers.filter((answer) => answer?.status !== 201);
        others.push(
          ...refused.map((answer) => [answer?.status, answer?.body.code, answer?.headers.get('Retry-After')]),
        );
      }
      expect(others.length).toBeGreaterThanOrEqual(most);
      return others;
    };
    /** PostgreSQL gives up when it cannot recover; whoever watches over it starts it again. */
    const untilItSells = () =>
      eventually(async () => {
        if (!server.isAlive()) await server.restart();
        expect((await buy())?.status).toBe(201);
      });
    /** Everything that was sold is there, nothing else but perhaps what was not answered, and all of it agrees. */
    const expectNothingHalfDone = async () => {
      const { total } = (await running.get('/orders')).body;
      expect(total).toBeGreaterThanOrEqual(sold.length);
      expect(total).toBeLessThanOrEqual(sold.length + unanswered);
      expect((await running.get(`/products/${product}`)).body.stock).toBe(STOCK - 2 * total);
      for (const id of sold.slice(-100)) expect((await running.get(`/orders/${id}`)).status).toBe(200);
      expect((await running.app.get(AuditService, { strict: false }).run()).findings).toEqual([]);
      return { unanswered };
    };
    const session = new pg.Client({ connectionString: server.url });
    session.on('error', () => undefined);
    await session.connect();
    return { api: running, session, product, buy, buyUntilRefused, untilItSells, expectNothingHalfDone };
  };

  itOnSmallDisk(
    'refuses cleanly, leaves nothing half done, goes on reading, and sells again as soon as there is room',
    async () => {
      const shop = await setUp();
      expect((await shop.buy())?.status).toBe(201);
      await fill(ballast);
      const others = await shop.buyUntilRefused(200);
      expect(new Set(others.map((other) => JSON.stringify(other)))).toEqual(
        new Set([JSON.stringify([503, 'DATABASE_UNAVAILABLE', '1'])]),
      );
      expect((await shop.api.get(`/products/${shop.product}`)).status).toBe(200);
      expect((await shop.api.get('/orders?page_size=100')).status).toBe(200);

      await rm(ballast);
      await shop.untilItSells();
      expect(await shop.expectNothingHalfDone()).toEqual({ unanswered: 0 });
      // PostgreSQL has not been down meanwhile.
      await expect(shop.session.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
      await shop.session.end();
    },
    120_000,
  );

  itOnSmallDisk(
    'loses nothing when PostgreSQL itself goes down for want of room in its log',
    async () => {
      const shop = await setUp();
      for (let n = 0; n < 5; n++) expect((await shop.buy())?.status).toBe(201);
      await fill(ballast);
      // Until it has no segment left that it could use again, and panics.
      const panic = (async () => {
        for (let n = 0; n < 50; n++) {
          await shop.session.query('SELECT pg_switch_wal()');
          await shop.buy();
        }
      })();
      await expect(panic).rejects.toThrow(/terminat|ECONN|closed|not queryable/);
      expect([503, undefined]).toContain((await shop.buy())?.status);

      await rm(ballast);
      await shop.untilItSells();
      await shop.expectNothingHalfDone();
    },
    120_000,
  );

  async function fill(file: string): Promise<void> {
    const block = Buffer.alloc(64 * 1_024, 1);
    await writeFile(file, '');
    for (;;) {
      try {
        await writeFile(file, block, { flag: 'a' });
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
        return;
      }
    }
  }
});
