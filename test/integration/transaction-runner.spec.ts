import { Test } from '@nestjs/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { ConfigModule } from '../../src/config/config.module.js';
import { LIMITS } from '../../src/config/limits.js';
import { DatabaseUnavailableError, translateDatabaseError } from '../../src/database/database-errors.js';
import { DatabaseModule } from '../../src/database/database.module.js';
import type { PipelinedTransaction } from '../../src/database/transactions/pipelined-transaction.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';

describe('TransactionRunner', () => {
  let environment: Environment;
  let transactions: TransactionRunner;
  let dataSource: DataSource;
  let close: () => Promise<void>;

  beforeAll(async () => {
    environment = await createEnvironment();
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(environment.config), DatabaseModule],
    }).compile();
    await module.init();
    transactions = module.get(TransactionRunner);
    dataSource = module.get(DataSource);
    close = () => module.close();
    await environment.sql.query(`INSERT INTO products (name, price, stock) VALUES ('A', 1, 0), ('B', 1, 0)`);
  });

  afterAll(async () => {
    await close();
    await environment.close();
  });

  const increment = 'UPDATE products SET stock = stock + 1 WHERE name = $1';
  const stocks = async () =>
    (await environment.sql.query('SELECT stock FROM products ORDER BY name')).rows.map(({ stock }) => stock);
  const idleInTransaction = async () => {
    const { rows } = await environment.sql.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    );
    return rows.length;
  };

  beforeEach(() => environment.sql.query('UPDATE products SET stock = 0'));

  it('keeps all of the work or nothing of it', async () => {
    await transactions.run((manager) => manager.query(increment, ['A']));
    const failure = transactions.run(async (manager) => {
      await manager.query(increment, ['A']);
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow('no');
    expect(await stocks()).toEqual([1, 0]);
    expect(await idleInTransaction()).toBe(0);
  });

  it('takes a connection that breaks between two statements for a lost database', async () => {
    const statement = async (text: string, next: (manager: EntityManager) => Promise<unknown>) => {
      const failure = transactions.run(async (manager) => {
        const [{ pid }] = await manager.query(text, ['A']);
        const { rowCount } = await environment.sql.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
        expect(rowCount).toBe(1);
        await eventually(() => expect(manager.queryRunner?.isReleased).toBe(true));
        await next(manager);
      });
      await expect(
        failure.catch((error: unknown) => Promise.reject((translateDatabaseError(error) ?? error) as Error)),
      ).rejects.toThrow(DatabaseUnavailableError);
    };
    const lock = 'SELECT pg_backend_pid() AS pid FROM products WHERE name = $1 FOR UPDATE';
    await statement(lock, (manager) => manager.query(increment, ['A']));
    await statement(lock, (manager) => manager.transaction((inner) => inner.query(increment, ['A'])));
    await statement(lock, () => Promise.resolve());
    expect(await stocks()).toEqual([0, 0]);
  });

  it('runs the loser of a real deadlock again, in a new transaction', async () => {
    const attempts = { AB: 0, BA: 0 };
    let arrived = 0;
    let open: () => void = () => undefined;
    const barrier = new Promise<void>((resolve) => (open = resolve));
    const inOrder = (name: 'AB' | 'BA') =>
      transactions.run(async (manager) => {
        attempts[name]++;
        const [first, second] = name;
        await manager.query(increment, [first]);
        if (++arrived === 2) open();
        await barrier;
        await manager.query(increment, [second]);
      });
    await Promise.all([inOrder('AB'), inOrder('BA')]);
    expect(await stocks()).toEqual([2, 2]);
    expect(attempts.AB + attempts.BA).toBe(3);
  });

  it('runs a serialization failure again', async () => {
    let attempts = 0;
    await transactions.run(async (manager) => {
      await manager.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await manager.query('SELECT FROM products');
      if (++attempts === 1) await environment.sql.query(increment, ['A']);
      await manager.query(increment, ['A']);
    });
    expect([attempts, await stocks()]).toEqual([2, [2, 0]]);
  });

  it('gives up after three retries, with nothing changed', async () => {
    let attempts = 0;
    const failure = transactions.run(async (manager) => {
      attempts++;
      await manager.query(increment, ['A']);
      await manager.query(`DO $$ BEGIN RAISE EXCEPTION 'a conflict' USING ERRCODE = 'serialization_failure'; END $$`);
    });
    await expect(failure).rejects.toThrow(DatabaseUnavailableError);
    expect([attempts, await stocks()]).toEqual([4, [0, 0]]);
  });

  it('does not run any other error again', async () => {
    let attempts = 0;
    const failure = transactions.run(async (manager) => {
      attempts++;
      await manager.query('UPDATE products SET stock = -1');
    });
    await expect(failure).rejects.toMatchObject({ driverError: { code: '23514' } });
    expect(attempts).toBe(1);
  });

  describe('in few round trips', () => {
    const lock = { text: `SELECT name, stock FROM products WHERE name = 'A' FOR UPDATE` };
    const take = { text: `UPDATE products SET stock = stock + 1 WHERE name = 'A' RETURNING stock` };
    const refused = { text: 'UPDATE products SET stock = -1' };

    it('writes what was decided under the lock, and gives the rows of each statement', async () => {
      const stocksSeen = transactions.runPipelined(async (transaction) => {
        const locked = await transaction.query<{ stock: number }>(lock);
        const written = await Promise.all([take, take].map((each) => transaction.query<{ stock: number }>(each)));
        await transaction.commit();
        return [locked, ...written].flat().map(({ stock }) => stock);
      });
      expect(await stocksSeen).toEqual([0, 1, 2]);
      expect(await stocks()).toEqual([2, 0]);
    });

    it('leaves no lock and no transaction when it is rolled back, fails, or is left open', async () => {
      const ending = (end: (transaction: PipelinedTransaction) => Promise<void>) =>
        transactions.runPipelined(async (transaction) => {
          await transaction.query(lock);
          await end(transaction);
        });
      await ending((transaction) => transaction.rollBack());
      await expect(ending(() => Promise.reject(new Error('undecided')))).rejects.toThrow('undecided');
      await expect(ending(() => Promise.resolve())).rejects.toThrow('left open');
      expect(await idleInTransaction()).toBe(0);
      await environment.sql.query('SELECT FROM products FOR UPDATE NOWAIT');
    });

    it.each([
      ['first', [refused, take]],
      ['last', [take, refused]],
    ])('writes nothing when the %s of its statements is refused', async (_which, statements) => {
      const writing = transactions.runPipelined(async (transaction) => {
        await Promise.all(statements.map((statement) => transaction.query(statement)));
        await transaction.commit();
      });
      await expect(writing).rejects.toMatchObject({ code: '23514' });
      expect(await stocks()).toEqual([0, 0]);
      expect(await idleInTransaction()).toBe(0);
    });
  });

  it('gives every connection its time limits', async () => {
    const [limits] = await dataSource.query(
      `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
              current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('transaction_timeout') AS transaction`,
    );
    const { lockMs, statementMs, transactionMs } = LIMITS;
    const [lock, statement, transaction] = [lockMs, statementMs, transactionMs].map((ms) => `${ms / 1_000}s`);
    expect(limits).toEqual({ lock, statement, idle: statement, transaction });
  });
});
