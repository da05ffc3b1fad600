import { escapeIdentifier, escapeLiteral } from 'pg';
import type { QueryRunner } from 'typeorm';

/**
 * What the application may do with each table besides reading it. The ledger and the events of orders only grow; what was sold is never
 * removed. Nobody but the owner of the tables may truncate them, change their triggers, or drop them.
 */
export const APPLICATION_PRIVILEGES: Readonly<Record<string, string>> = {
  actions: 'INSERT',
  api_keys: 'INSERT, UPDATE',
  api_keys_version: 'UPDATE',
  audit_runs: 'INSERT, DELETE',
  customer_counts: 'INSERT, UPDATE, DELETE',
  customer_lines: '',
  event_deliveries: 'INSERT, UPDATE, DELETE',
  event_log: '',
  event_subscriptions: 'INSERT, UPDATE, DELETE',
  fulfilment_undos: 'INSERT, UPDATE, DELETE',
  idempotency_keys: 'INSERT, UPDATE, DELETE',
  migrations: '',
  minute_statistics: 'INSERT, UPDATE, DELETE',
  order_events: 'INSERT',
  order_items: 'INSERT',
  orders: 'INSERT, UPDATE',
  products: 'INSERT, UPDATE',
  reservation_items: 'INSERT, DELETE',
  reservations: 'INSERT, UPDATE, DELETE',
  row_count_changes: 'INSERT, DELETE',
  row_counts: 'INSERT, UPDATE, DELETE',
  stock_movements: 'INSERT',
  workers: 'INSERT, UPDATE, DELETE',
};

/**
 * Gives the role of the application its privileges on the tables that are there, and takes all others away. From then on only that role
 * can have a change of stock pass without being compared with the ledger, by the setting of its sessions
 * (docs/decisions/0008). Does no harm when it is run again.
 */
export async function grantPrivileges(runner: QueryRunner, application: string): Promise<void> {
  const tables = await runner.manager.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace`,
  );
  const role = escapeIdentifier(application);
  // One message, and so one transaction: the application is never without.
  const grants = tables.map(({ name }) => grantOn(name, application)).join('\n');
  await runner.query(`${grants} GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
  await bindSetting(runner, application);
}

/** Gives the role of the application its privileges on a table, and takes all others away. */
export function grantOn(table: string, application: string): string {
  const [name, role] = [escapeIdentifier(table), escapeIdentifier(application)];
  const privileges = ['SELECT', APPLICATION_PRIVILEGES[table] ?? ''].filter(Boolean).join(', ');
  return `REVOKE ALL ON ${name} FROM ${role}; GRANT ${privileges} ON ${name} TO ${role};`;
}

/** The trigger of migration 1767225600012, whose condition anybody could switch off. It is replaced only when it has to be. */
async function bindSetting(runner: QueryRunner, application: string): Promise<void> {
  const isOther = `session_user <> ${escapeLiteral(application)}::name`;
  const [trigger] = await runner.manager.query<{ definition: string }[]>(
    `SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
     WHERE tgname = 'products_record_stock' AND tgrelid = to_regclass('public.products')`,
  );
  if (trigger === undefined || trigger.definition.includes(`${escapeLiteral(application)}::name`)) return;
  await runner.query(`
    CREATE OR REPLACE TRIGGER products_record_stock AFTER UPDATE OF stock ON products FOR EACH ROW
    WHEN (OLD.stock <> NEW.stock
      AND (current_setting('order_system.writes_ledger', true) IS DISTINCT FROM 'on' OR ${isOther}))
    EXECUTE FUNCTION record_stock()
  `);
}
