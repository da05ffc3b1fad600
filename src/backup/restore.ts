import { pipeline, Readable } from 'node:stream';
import { pipeline as pipelineToEnd } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { withDeadline } from '../runtime/deadline.js';
import type { Config } from '../config/config.js';
import {
  type BackupEnd,
  type BackupHead,
  copyTargetOf,
  FORMAT,
  migrationsOf,
  pinSettings,
  sequencesOf,
  type Table,
  tablesOf,
} from './backup-format.js';
import { BackupReader } from './backup-reader.js';

/**
 * Ids that were given out between the backup and the restore belong to orders that somebody was promised, and that a provider may
 * have fulfilled under the same idempotency key: they are not given out again, nor are those of an earlier restore. So many
 * and, for each second since the backup, so many more are left out; no shop sells as much.
 */
const SKIPPED_IDS = 1_000_000;
const SKIPPED_IDS_A_SECOND = 10_000;
const REDIS_TIMEOUT_MS = 10_000;

/**
 * Fills an empty, migrated database from a backup, all of it or nothing, and empties both Redis databases: what they hold is of
 * another time. No process may use the database meanwhile.
 *
 * @throws Error when the database is not empty, or has other migrations than the backup, or the backup is not whole, or a Redis
 * cannot be emptied. Nothing is restored then.
 */
export async function restore(
  config: Config,
  input: Readable,
  { actor, report }: { readonly actor: string; readonly report: (line: string) => void },
): Promise<void> {
  // The reader gets the error of either stream.
  const reader = new BackupReader(pipeline(input, createGunzip(), () => undefined));
  const head = await reader.line().catch(() => undefined);
  if (!isHead(head)) throw new Error('This is not a backup of this system');
  const client = new pg.Client({ connectionString: config.database.ownerUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await pinSettings(client);
    await client.query('BEGIN');
    await requireMigrations(client, head.migrations);
    await requireOwnership(client);
    await restoreTables(client, reader, report);
    await skipIds(client, await readEnd(reader), head);
    await client.query(
      `INSERT INTO actions (type, actor, details) VALUES ('database.restored', $1, jsonb_build_object('taken_at', $2::text))`,
      [actor, head.takenAt],
    );
    // Should the commit fail, they are filled again from what was there before.
    await empty('cache', config.cache.url);
    await empty('queue', config.queue.url);
    await client.query('COMMIT');
    await client.query('ANALYZE').catch((error: unknown) => report(`ANALYZE failed, run it: ${String(error)}`));
  } finally {
    await client.end();
  }
}

async function requireMigrations(client: pg.Client, expected: readonly string[]): Promise<void> {
  const migrations = await migrationsOf(client);
  if (JSON.stringify(expected) === JSON.stringify(migrations)) return;
  throw new Error(
    `The backup is of another version: its last migration is ${expected.at(-1) ?? 'none'}, that of the database is ` +
      `${migrations.at(-1) ?? 'none'}. Restore it with the version that made it, then migrate`,
  );
}

async function requireOwnership(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_class WHERE oid = 'public.migrations'::regclass AND NOT pg_has_role(relowner, 'USAGE') LIMIT 1`,
  );
  if (rowCount !== 0) throw new Error('Only the owner of the tables can restore: set DATABASE_OWNER_URL');
}

/** The owner of the tables may do this. Foreign keys are made anew, and so checked, when all rows are there. */
async function restoreTables(client: pg.Client, reader: BackupReader, report: (line: string) => void): Promise<void> {
  const tables = await tablesOf(client);
  for (const { table } of tables) {
    await client.query(`ALTER TABLE "${table}" DISABLE TRIGGER USER`);
    const { rowCount } = await client.query(`SELECT FROM "${table}" LIMIT 1`);
    if (rowCount !== 0) throw new Error(`The database is not empty: ${table} has rows. Restore into a new one`);
  }
  const { rows: keys } = await client.query<{ table: string; name: string; definition: string }>(
    `SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS definition
     FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`,
  );
  for (const { table, name } of keys) await client.query(`ALTER TABLE ${table} DROP CONSTRAINT "${name}"`);
  for (const table of tables) {
    if (!isTable(await reader.line(), table))
      throw new Error(`The backup does not go on with the table ${table.table}`);
    const rows = client.query(copyFrom(`COPY ${copyTargetOf(table)} FROM STDIN`));
    await pipelineToEnd(Readable.from(reader.rows()), rows);
    report(`${table.table}: ${rows.rowCount} rows`);
  }
  for (const { table, name, definition } of keys) {
    await client.query(`ALTER TABLE ${table} ADD CONSTRAINT "${name}" ${definition}`);
  }
  for (const { table } of tables) await client.query(`ALTER TABLE "${table}" ENABLE TRIGGER USER`);
}

async function readEnd(reader: BackupReader): Promise<BackupEnd> {
  const end = await reader.line();
  if (!isEnd(end)) throw new Error('The backup is not whole: its last line is missing');
  await reader.end();
  return end;
}

async function skipIds(client: pg.Client, { ids }: BackupEnd, { takenAt }: BackupHead): Promise<void> {
  const seconds = Math.max(Math.ceil((Date.now() - Date.parse(takenAt)) / 1_000), 0);
  const skipped = SKIPPED_IDS + seconds * SKIPPED_IDS_A_SECOND;
  for (const { table, sequence } of await sequencesOf(client)) {
    const last = ids[table];
    if (last === undefined) throw new Error(`The backup does not tell the last id of ${table}`);
    await client.query('SELECT setval($1, $2::bigint + $3)', [sequence, last, skipped]);
  }
}

async function empty(name: string, url: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 1, disconnectTimeout: 100 });
  client.on('error', () => undefined);
  try {
    await withDeadline(client.flushdb(), REDIS_TIMEOUT_MS);
  } catch (error) {
    throw new Error(`The Redis of the ${name} could not be emptied, nothing is restored: ${String(error)}`);
  } finally {
    client.disconnect();
  }
}

function isHead(line: unknown): line is BackupHead {
  return isObject(line) && line.format === FORMAT && Array.isArray(line.migrations);
}

function isTable(line: unknown, { table, columns }: Table): boolean {
  return JSON.stringify(line) === JSON.stringify({ table, columns });
}

function isEnd(line: unknown): line is BackupEnd {
  return isObject(line) && line.end === true && isObject(line.ids);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
