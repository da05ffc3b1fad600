import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import {
  type BackupEnd,
  type BackupHead,
  copyTargetOf,
  END_OF_ROWS,
  FORMAT,
  migrationsOf,
  tablesOf,
} from './backup-format.js';

/**
 * Writes the whole database as it is at one moment, while the shop goes on selling. It blocks nobody; rows that are deleted
 * meanwhile stay on disk until it is done.
 */
export async function backUp(databaseUrl: string, output: Writable, report: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, client_encoding: 'UTF8' });
  // What is under way fails by itself; without a listener the process would end.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await pipeline(contentOf(client, report), createGzip(), output);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

async function* contentOf(client: pg.Client, report: (line: string) => void): AsyncGenerator<string | Buffer> {
  const head: BackupHead = {
    format: FORMAT,
    begunAt: new Date().toISOString(),
    migrations: await migrationsOf(client),
  };
  yield lineOf(head);
  for (const table of await tablesOf(client)) {
    yield lineOf(table);
    const rows = client.query(copyTo(`COPY ${copyTargetOf(table)} TO STDOUT`));
    for await (const chunk of rows) if (Buffer.isBuffer(chunk)) yield chunk;
    yield END_OF_ROWS;
    report(`${table.table}: ${rows.rowCount} rows`);
  }
  // Last: no row that was written has a higher id than is read here.
  yield lineOf({ end: true, ids: await idsOf(client) } satisfies BackupEnd);
}

async function idsOf(client: pg.Client): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  const { rows } = await client.query<{ table: string; sequence: string }>(`
    SELECT attrelid::regclass::text AS table, pg_get_serial_sequence(attrelid::regclass::text, attname) AS sequence
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relname <> 'migrations' AND attidentity <> ''`);
  for (const { table, sequence } of rows) {
    const { rows: values } = await client.query<{ last: string }>(`SELECT last_value AS last FROM ${sequence}`);
    ids[table] = values[0]?.last ?? '0';
  }
  return ids;
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
