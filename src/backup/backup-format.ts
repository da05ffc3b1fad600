import type { ClientBase } from 'pg';

/**
 * A backup is gzipped text: a line of JSON with what it is, then for each table a line of JSON with its name and columns, its
 * rows as `COPY` writes them, and a line with `\.`; last a line of JSON that tells that it is whole.
 */
export const FORMAT = 'order-system-backup-1';
export const END_OF_ROWS = '\\.\n';

export interface BackupHead {
  readonly format: typeof FORMAT;
  /** Of the one moment that is backed up, RFC 3339. */
  readonly takenAt: string;
  /** Of the database that was backed up, in their order. */
  readonly migrations: readonly string[];
}

export interface Table {
  readonly table: string;
  readonly columns: readonly string[];
}

export interface BackupEnd {
  readonly end: true;
  /** The last id that was given out for each table that has ids. */
  readonly ids: Readonly<Record<string, string>>;
}

/** Every table but those that belong to the running system: migrations, workers, statistics, and the name of the log, by which old cursors are known. */
export async function tablesOf(client: ClientBase): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    SELECT relname AS table,
           (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN ('migrations', 'workers', 'event_log', 'minute_statistics', 'api_keys_version')
    ORDER BY relname`);
  return rows;
}

/** @throws Error when the database was never migrated. */
export async function migrationsOf(client: ClientBase): Promise<string[]> {
  const { rows: found } = await client.query(`SELECT FROM pg_class WHERE oid = to_regclass('public.migrations')`);
  if (found.length === 0) throw new Error('The database has no tables: run "npm run migration:run" first');
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY timestamp');
  return rows.map(({ name }) => name);
}

/** The tables with ids, and the sequence of each. */
export async function sequencesOf(client: ClientBase): Promise<{ table: string; sequence: string }[]> {
  const { rows } = await client.query<{ table: string; sequence: string }>(`
    SELECT relname AS table, pg_get_serial_sequence(relname, attname) AS sequence
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migrations' AND attidentity <> ''
    ORDER BY relname`);
  return rows;
}

/** What a role or a database is set to must not change what is read and written, nor end it. */
export async function pinSettings(client: ClientBase): Promise<void> {
  await client.query(`
    SET datestyle TO 'ISO, YMD'; SET intervalstyle TO 'postgres'; SET extra_float_digits TO 1; SET statement_timeout TO 0;
    SET lock_timeout TO 0; SET idle_in_transaction_session_timeout TO 0; SET transaction_timeout TO 0`);
}

/** `"orders" ("id", "status")`, as `COPY` takes it. */
export function copyTargetOf({ table, columns }: Table): string {
  return `"${table}" (${columns.map((column) => `"${column}"`).join(', ')})`;
}
