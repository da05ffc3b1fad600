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
  pinSettings,
  sequencesOf,
  type Table,
  tablesOf,
} from './backup-format.js';

/**
 * Writes the whole database as it is at one moment, while the shop goes on selling. It blocks nobody but changes of the tables
 * themselves; rows that are deleted or written over meanwhile stay on disk until it is done.
 */
export async function backUp(databaseUrl: string, output: Writable, report: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // The running query fails with the error; without a listener the process would end.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await pinSettings(client);
    await migrationsOf(client);
    const tables = await tablesOf(client);
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // Before the first look, which is the moment: a table that is emptied or rewritten after it would seem empty.
    await client.query(`LOCK TABLE ${tables.map(({ table }) => `"${table}"`).join(', ')} IN ACCESS SHARE MODE`);
    await pipeline(contentOf(client, tables, report), createGzip(), output);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

async function* contentOf(
  client: pg.Client,
  tables: readonly Table[],
  report: (line: string) => void,
): AsyncGenerator<string | Buffer> {
  const migrations = await migrationsOf(client);
  yield lineOf({ format: FORMAT, takenAt: new Date().toISOString(), migrations } satisfies BackupHead);
  for (const table of tables) {
    yield lineOf(table);
    const rows = client.query(copyTo(`COPY ${copyTargetOf(table)} TO STDOUT`));
    let bytes = 0;
    for await (const chunk of rows) {
      if (!Buffer.isBuffer(chunk)) throw new Error('COPY gave something else than bytes');
      bytes += chunk.length;
      yield chunk;
    }
    yield END_OF_ROWS;
    report(`${table.table}: ${bytes} bytes`);
  }
  // Last: no row that was written has a higher id than is read here.
  yield lineOf({ end: true, ids: await lastIdsOf(client) } satisfies BackupEnd);
}

async function lastIdsOf(client: pg.Client): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const { table, sequence } of await sequencesOf(client)) {
    const { rows } = await client.query<{ last: string }>(`SELECT last_value AS last FROM ${sequence}`);
    ids[table] = rows[0]?.last ?? '0';
  }
  return ids;
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
