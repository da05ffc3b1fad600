import type { ClientBase } from 'pg';

/**
 * A backup is gzipped text: a line of JSON with what it is, then for each table a line of JSON with its name and columns, its
 * rows as `COPY` writes them, and a line with `\.`; last a line of JSON that tells that it is whole.
 */
export const FORMAT = 'order-system-backup-1';
export const END_OF_ROWS = '\\.\n';

export interface BackupHead {
  readonly format: typeof FORMAT;
  readonly begunAt: string;
  /** Of the database that was backed up, in their order. */
  readonly migrations: readonly string[];
}

export interface Table {
  readonly table: string;
  readonly columns: readonly string[];
}

export interface BackupEnd {
  readonly end: true;
  /** The last value of each table's ids. */
  readonly ids: Readonly<Record<string, string>>;
}

/** Every table but the list of migrations; those that others refer to come first. */
export async function tablesOf(client: ClientBase): Promise<Table[]> {
  const { rows } = await client.query<Table & { refers_to: string[] }>(`
    SELECT c.relname AS table,
           (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
           ARRAY(SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = c.oid) AS refers_to
    FROM pg_class c
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migrations'
    ORDER BY relname`);
  const sorted: Table[] = [];
  const left = new Map(rows.map((row) => [row.table, row]));
  while (left.size > 0) {
    const free = [...left.values()].filter(({ refers_to: others }) => !others.some((other) => left.has(other)));
    if (free.length === 0) throw new Error(`Tables refer to each other in a circle: ${[...left.keys()].join(', ')}`);
    for (const { table, columns } of free) {
      sorted.push({ table, columns });
      left.delete(table);
    }
  }
  return sorted;
}

export async function migrationsOf(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY timestamp');
  return rows.map(({ name }) => name);
}

/** `"orders" ("id", "status")`, as `COPY` takes it. */
export function copyTargetOf({ table, columns }: Table): string {
  return `"${table}" (${columns.map((column) => `"${column}"`).join(', ')})`;
}
