import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { LockTimeoutError, translateDatabaseError } from './database-errors.js';
import { grantPrivileges } from './roles/privileges.js';

/** The longest that a change of a table may wait for its lock, and so the longest that sales wait behind it. */
const LOCK_TIMEOUT_MS = 500;
/** PostgreSQL cancels an autovacuum that blocks another session for a second (`deadlock_timeout`). */
const AUTOVACUUM_LOCK_TIMEOUT_MS = 1_100;
/** Sales go on meanwhile. */
const PAUSE_MS = 1_000;
/** The nightly audit and a backup hold their locks for minutes. */
const PATIENCE_MS = 1_800_000;
const REPORT_EVERY = 10;
/** Nobody waits behind these statements, so they have no time limit: one that gave up would begin anew. */
const CONCURRENTLY = /^\s*(CREATE|DROP)\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY/i;

type MigrationClass = new () => MigrationInterface;
type Step = (runner: QueryRunner) => Promise<void>;

/**
 * The migrations of a folder, each of which gives up soon on a lock that somebody holds, and tries again: an `ALTER TABLE` that
 * waits behind a long read would have every sale wait behind it. One that runs in a transaction is tried again as a whole, one
 * that does not (`transaction = false`) statement by statement, so each statement of it has to be one that can be repeated.
 *
 * @param application the role that gets its privileges on the tables after each migration.
 */
export async function patientMigrations(folder: URL, application?: string): Promise<MigrationClass[]> {
  const files = readdirSync(folder).filter((file) => /^\d{13}-.*\.[jt]s$/.test(file) && !file.endsWith('.d.ts'));
  const modules = await Promise.all(
    files.sort().map(async (file): Promise<unknown> => import(new URL(file, folder).href)),
  );
  return modules.flatMap((module) =>
    Object.values(module ?? {})
      .filter(isMigration)
      .map((Migration) => patient(Migration, application)),
  );
}

function isMigration(exported: unknown): exported is MigrationClass {
  return typeof exported === 'function' && 'up' in Object(exported.prototype) && 'down' in Object(exported.prototype);
}

/** TypeORM knows a migration by the name of its class. */
function patient(Migration: MigrationClass, application: string | undefined): MigrationClass {
  const grant = async (runner: QueryRunner) => {
    if (application !== undefined) await grantPrivileges(runner, application);
  };

  class PatientMigration extends Migration {
    override readonly name = Migration.name;

    override async up(runner: QueryRunner): Promise<void> {
      await runPatiently(runner, async (inner) => {
        await super.up(inner);
        await grant(inner);
      });
    }

    override async down(runner: QueryRunner): Promise<void> {
      await runPatiently(runner, async (inner) => {
        await super.down(inner);
        await grant(inner);
      });
    }
  }
  return PatientMigration;
}

/** Runs statements that give up soon on a lock, and are tried again: in a transaction all of them, else each by itself. */
export async function runPatiently(runner: QueryRunner, step: Step): Promise<void> {
  await runner.query(`SET lock_timeout TO ${LOCK_TIMEOUT_MS}`);
  try {
    if (runner.isTransactionActive) await repeat(() => inSavepoint(runner, step), runner);
    else await step(statementByStatement(runner));
  } finally {
    await runner.query('RESET lock_timeout').catch(() => undefined); // The transaction has failed.
  }
}

/** Locks that were taken after the savepoint are given back with it. */
async function inSavepoint(runner: QueryRunner, step: Step): Promise<void> {
  await runner.query('SAVEPOINT patience');
  try {
    await step(runner);
    await runner.query('RELEASE SAVEPOINT patience');
  } catch (error) {
    await runner.query('ROLLBACK TO SAVEPOINT patience');
    throw error;
  }
}

function statementByStatement(runner: QueryRunner): QueryRunner {
  const query = async (text: string, parameters?: unknown[]): Promise<unknown> => {
    const send = async (): Promise<unknown> => runner.query(text, parameters);
    if (!CONCURRENTLY.test(text)) return repeat(send, runner);
    await runner.query('SET lock_timeout TO 0');
    return send().finally(() => runner.query(`SET lock_timeout TO ${LOCK_TIMEOUT_MS}`));
  };
  return new Proxy(runner, {
    get: (target, property): unknown => (property === 'query' ? query : Reflect.get(target, property)),
  });
}

async function repeat<T>(work: () => Promise<T>, runner: QueryRunner): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(translateDatabaseError(error) instanceof LockTimeoutError) || Date.now() > deadline) throw error;
      if (attempt % REPORT_EVERY === 1) await report(runner);
    }
    await delay(PAUSE_MS);
    await setLockTimeout(runner);
  }
}

async function setLockTimeout(runner: QueryRunner): Promise<void> {
  const [row] = await runner.manager.query<[{ vacuums: number }]>(
    `SELECT count(*)::integer AS vacuums FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'autovacuum worker'`,
  );
  await runner.query(`SET lock_timeout TO ${row.vacuums > 0 ? AUTOVACUUM_LOCK_TIMEOUT_MS : LOCK_TIMEOUT_MS}`);
}

/** Prints which sessions hold locks, so that an operator can wait for them or end them. */
async function report(runner: QueryRunner): Promise<void> {
  const holders = await runner.manager.query<{ holder: string }[]>(
    `SELECT format('process %s (%s), in a transaction since %s', pid, application_name, xact_start) AS holder
     FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '${LOCK_TIMEOUT_MS} ms'`,
  );
  const names = holders.map(({ holder }) => holder).join('; ');
  process.stderr.write(
    `A lock is not to be had, and is tried for again. Open transactions: ${names || 'none any more'}\n`,
  );
}
