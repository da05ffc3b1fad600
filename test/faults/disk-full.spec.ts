import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Postgres, startPostgres } from '../../tools/postgres.ts';
import { freePort, isAlive } from '../../tools/processes.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { AuditService } from '../../src/audit/audit.service.js';
import { loadConfig } from '../../src/config/config.js';
import { type Api, startApi } from '../support/api.js';
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
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=755`, 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('the API while the disk of PostgreSQL is full (skipped where no small disk can be mounted)', () => {
  let postgres: Postgres | undefined;
  let api: Api | undefined;

  afterEach(async () => {
    await api?.close();
    await postgres?.stop();
    for (const name of await readdir(disk)) await rm(path.join(disk, name), { recursive: true, force: true });
  });

  afterAll(async () => {
    if (isMounted) await execute('umount', ['-l', disk]);
    await rm(directory, { recursive: true, force: true });
  });

  const setUp = async () => {
    const settings = { fsync: 'off', max_wal_size: '32MB', min_wal_size: '32MB', wal_init_zero: 'off' };
    const port = await freePort();
    const start = () => startPostgres({ directory: path.join(disk, 'postgres'), port, settings });
    postgres = await start();
    const env = { ...process.env, DATABASE_URL: postgres.url };
    const migrate = ['node_modules/typeorm/cli.js', 'migration:run', '-d', 'dist/src/database/data-source.js'];
    await execute(process.execPath, migrate, { env });
    const running = await startApi(
      loadConfig({ ...redisUrls(), LOG_LEVEL: 'error', DATABASE_URL: postgres.url }, 'api'),
    );
    api = running;
    const product = await running.createProduct({ stock: STOCK });
    const buy = () => running.post('/orders', { product_id: product, quantity: 2 });
    /** Buys until so many have not been sold anything; gives the orders, and what was said to the others. */
    const buyUntilRefused = async (most: number) => {
      const ids: number[] = [];
      const others: unknown[] = [];
      for (let round = 0; round < 400 && others.length < most; round++) {
        for (const outcome of await Promise.allSettled(Array.from({ length: 50 }, buy))) {
          if (outcome.status === 'rejected') others.push('no answer');
          else if (outcome.value.status === 201) ids.push(outcome.value.body.id);
          else others.push([outcome.value.status, outcome.value.body.code, outcome.value.headers.get('Retry-After')]);
        }
      }
      expect(others.length).toBeGreaterThanOrEqual(most);
      return { ids, others };
    };
    /** PostgreSQL gives up when it cannot recover; whoever watches over it starts it again. */
    const untilItSells = () =>
      eventually(async () => {
        if (!isAlive(postgres?.pid ?? 0)) postgres = await start();
        expect((await buy()).status).toBe(201);
      });
    /** Everything that was sold is there, and agrees. */
    const expectNothingHalfDone = async (ids: readonly number[]) => {
      const { total } = (await running.get('/orders')).body;
      expect((await running.get(`/products/${product}`)).body.stock).toBe(STOCK - 2 * total);
      for (const id of ids.slice(-100)) expect((await running.get(`/orders/${id}`)).status).toBe(200);
      expect((await running.app.get(AuditService, { strict: false }).run()).findings).toEqual([]);
      return total as number;
    };
    return { api: running, buy, buyUntilRefused, untilItSells, expectNothingHalfDone };
  };

  itOnSmallDisk(
    'refuses cleanly, leaves nothing half done, and sells again as soon as there is room',
    async () => {
      const shop = await setUp();
      await fill(ballast);
      const { ids, others } = await shop.buyUntilRefused(200);
      expect(new Set(others.map((other) => JSON.stringify(other)))).toEqual(
        new Set([JSON.stringify([503, 'DATABASE_UNAVAILABLE', '1'])]),
      );
      expect((await shop.api.get('/health')).status).toBe(200);

      await rm(ballast);
      await shop.untilItSells();
      expect(await shop.expectNothingHalfDone(ids)).toBeGreaterThan(ids.length);
    },
    120_000,
  );

  itOnSmallDisk(
    'loses nothing when PostgreSQL itself goes down for want of room in its log',
    async () => {
      const shop = await setUp();
      const ids: number[] = [];
      for (let n = 0; n < 5; n++) ids.push((await shop.buy()).body.id);
      await fill(ballast);
      const sql = new pg.Client({ connectionString: postgres?.url });
      sql.on('error', () => undefined);
      await sql.connect();
      // Until it has no segment left that it could use again, and panics.
      await expect(
        (async () => {
          for (let n = 0; n < 50; n++) {
            await sql.query('SELECT pg_switch_wal()');
            const outcome = await shop.buy().catch(() => undefined);
            if (outcome?.status === 201) ids.push(outcome.body.id);
          }
        })(),
      ).rejects.toThrow(/terminat|ECONN|closed|not queryable/);
      expect([503, undefined]).toContain((await shop.buy().catch(() => undefined))?.status);

      await rm(ballast);
      await shop.untilItSells();
      expect(await shop.expectNothingHalfDone(ids)).toBeGreaterThan(ids.length);
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
