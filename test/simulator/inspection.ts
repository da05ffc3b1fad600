import type * as Statement from '../../src/audit/audit-statement.ts';
import type { Model } from './model.ts';
import type { Provider } from './provider.ts';
import type { World } from './world.ts';

/** Of the build: not known to the compiler. */
const BUILD: string = '../../dist/src/audit/audit-statement.js';
const { AUDIT } = (await import(BUILD)) as typeof Statement;

/**
 * Histories that end twice, go on after their end (but for the undo), do not begin with `pending`, or do not end where their
 * order stands.
 */
const HISTORIES = `
  WITH history AS (
    SELECT order_id, array_agg(status::text ORDER BY id) AS states FROM order_events
    WHERE type IS NULL GROUP BY order_id
  )
  SELECT orders.id, status, states FROM orders LEFT JOIN history ON order_id = orders.id
  WHERE states IS NULL OR states[1] <> 'pending' OR states[cardinality(states)] <> status
     OR cardinality(array_positions(states, 'pending')) <> 1
     OR (SELECT count(*) FROM unnest(states[:cardinality(states) - 1]) AS state
         WHERE state IN ('completed', 'failed', 'cancelled')) > 0`;

/** Sessions of the system that have been in a transaction for longer than it lets one be. */
const LEFT_BEHIND = `
  SELECT pid, state, query FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'order-system%' AND xact_start < now() - interval '5 seconds'`;

/** What must be true at any moment, at one moment: gives what is not. */
export async function inspect({ sql, provider, crashes }: World, model: Model): Promise<string[]> {
  const known = [...model.orders.keys()];
  const client = await sql.connect();
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const lost = await client.query<{ id: string }>(
      'SELECT id FROM unnest($1::bigint[]) AS id EXCEPT SELECT id FROM orders',
      [known],
    );
    const histories = await client.query(HISTORIES);
    // After what the snapshot has seen: it is done before the order is completed.
    const done = new Set(
      [...provider.accounts.values()].flatMap(({ isDone, orderIds }) => (isDone ? [...orderIds] : [])),
    );
    const completed = await client.query<{ id: string }>(`SELECT id FROM orders WHERE status = 'completed'`);
    const audit = await client.query<{ finding: string }>(AUDIT, [1, 0]);
    const sessions = await client.query(LEFT_BEHIND);
    await client.query('COMMIT');
    return [
      ...model.violations,
      ...crashes,
      ...sessions.rows.map((row) => `A session was left behind: ${JSON.stringify(row)}`),
      ...lost.rows.map(({ id }) => `Order ${id} was confirmed and is not there`),
      ...histories.rows.map((row) => `A history is not one: ${JSON.stringify(row)}`),
      ...completed.rows.flatMap(({ id }) =>
        done.has(Number(id)) ? [] : `Order ${id} is completed and was never fulfilled`,
      ),
      ...audit.rows
        .filter(({ finding }) => !['products', 'orders', 'movements'].includes(finding))
        .map((row) => `The audit found ${JSON.stringify(row)}`),
      ...provided(provider),
    ];
  } finally {
    client.release(true);
  }
}

/** One key an order, and one order a key: then the provider, which does nothing twice for a key, has done nothing twice. */
function provided({ accounts }: Provider): string[] {
  const keys = new Map<number, string>();
  return [...accounts].flatMap(([key, { orderIds }]) => {
    const [id = 0, ...others] = orderIds;
    const other = keys.get(id);
    keys.set(id, key);
    return others.length === 0 && other === undefined && /^[0-9a-f-]{36}$/.test(key)
      ? []
      : `The provider was given ${[other, key].join()} for the orders ${[...orderIds].join()}`;
  });
}
