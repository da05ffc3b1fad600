import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Config } from '../config/config.js';
import { type BackupHead, copyTargetOf, FORMAT, migrationsOf, type Table, tablesOf } from './backup-format.js';
import { BackupReader } from './backup-reader.js';

/**
 * Ids that were given out between the backup and the loss belong to orders that somebody was promised, and that a provider may have
 * fulfilled under the same idempotency key: they are not given out again. No shop sells so many between two backups.
 */
const SKIPPED_IDS = 10_000_000;

/**
 * Fills an empty, migrated database from a backup, all of it or nothing, and empties both Redis databases: what they hold is of
 * another time. Nobody may use the database meanwhile.
 *
 * @throws Error when the database is not empty, or has other migrations than the backup, or the backup is not whole.
 */
export async function restore(config: Config, input: Readable, report: (line: string) => void): Promise<void> {
  const reader = new BackupReader(input.pipe(createGunzip()));
  const head = await reader.line().catch(() => undefined);
  if (!isHead(head)) throw new Error('This is not a backup of this system');
  const client = new pg.Client({ connectionString: config.database.url, client_encoding: 'UTF8' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN');
    await requireMigrations(client, head.migrations);
    await restoreAll(client, reader, report);
    await client.query('COMMIT');
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
  for (const url of [config.cache.url, config.queue.url]) await empty(url);
}

async function restoreAll(client: pg.Client, reader: BackupReader, report: (line: string) => void): Promise<void> {
  const tables = await tablesOf(client);
  for (const { table } of tables) {
    // Its owner may do that. Foreign keys and constraints are checked all the same.
    await client.query(`ALTER TABLE "${table}" DISABLE TRIGGER USER`);
    const { rowCount } = await client.query(`SELECT FROM "${table}" LIMIT 1`);
    if (rowCount !== 0) throw new Error(`The database is not empty: ${table} has rows. Restore into a new one`);
  }
  for (const table of tables) {
    const found = await reader.line();
    if (!isTable(found, table)) throw new Error(`The backup does not go on with the table ${table.table}`);
    const rows = client.query(copyFrom(`COPY ${copyTargetOf(table)} FROM STDIN`));
    await pipeline(Readable.from(reader.rows()), rows);
    report(`${table.table}: ${rows.rowCount} rows`);
  }
  const end = await reader.line();
  if (!isEnd(end)) throw new Error('The backup is not whole: its last line is missing');
  for (const [table, last] of Object.entries(end.ids)) {
    await client.query(`SELECT setval(pg_get_serial_sequence($1, 'id'), $2::bigint + $3)`, [table, last, SKIPPED_IDS]);
  }
  for (const { table } of tables) await client.query(`ALTER TABLE "${table}" ENABLE TRIGGER USER`);
}

async function requireMigrations(client: pg.Client, expected: readonly string[]): Promise<void> {
  const migrations = await migrationsOf(client);
  if (JSON.stringify(expected) === JSON.stringify(migrations)) return;
  throw new Error(
    `The backup is of another version: its last migration is ${expected.at(-1) ?? 'none'}, that of the database is ` +
      `${migrations.at(-1) ?? 'none'}. Restore it with the version that made it, then migrate`,
  );
}

async function empty(url: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  client.on('error', () => undefined);
  await client.flushdb().finally(() => client.disconnect());
}

function isHead(line: unknown): line is BackupHead {
  return typeof line === 'object' && line !== null && 'format' in line && line.format === FORMAT;
}

function isTable(line: unknown, { table, columns }: Table): boolean {
  return JSON.stringify(line) === JSON.stringify({ table, columns });
}

function isEnd(line: unknown): line is { ids: Readonly<Record<string, string>> } {
  return typeof line === 'object' && line !== null && 'end' in line && line.end === true;
}
