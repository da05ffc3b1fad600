import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The life of an order: what it went through, when and why; and no step that the table of transitions does not know.
 * Nothing is sold while the past is written down, some seconds a million orders.
 */
export class RecordOrderEvents1767225600006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE');
    await runner.query(`
      CREATE TABLE order_events (
        order_id   bigint         NOT NULL,
        id         bigint         GENERATED ALWAYS AS IDENTITY,
        status     text           NOT NULL
          CONSTRAINT order_events_status_check CHECK (${isOneOf([...STATUSES, 'cancelled'])}),
        cause      text           NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT order_events_pkey PRIMARY KEY (order_id, id)
      )
    `);
    await runner.query(`
      INSERT INTO order_events (order_id, status, cause, created_at)
      SELECT id, 'pending', 'bought', created_at FROM orders
      UNION ALL SELECT id, status, 'before events were recorded', updated_at FROM orders WHERE status <> 'pending'
    `);
    await runner.query(`
      CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    `);
    await allow(runner, [...STATUSES, 'cancelled']);
    await runner.query(`
      CREATE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'order %: no way leads from % to %', OLD.id, OLD.status, NEW.status
          USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
      END
      $$
    `);
    const known = TRANSITIONS.map(([from, to]) => `('${from}', '${to}')`).join(', ');
    await runner.query(`
      CREATE TRIGGER orders_status_transition BEFORE UPDATE OF status ON orders FOR EACH ROW
      WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (${known}))
      EXECUTE FUNCTION refuse_transition()
    `);
  }

  /** Refused while cancelled orders are there: the older constraint does not know them. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER orders_status_transition ON orders');
    await runner.query('DROP FUNCTION refuse_transition()');
    await allow(runner, STATUSES);
    await runner.query('DROP TABLE order_events');
  }
}

const STATUSES = ['pending', 'processing', 'completed', 'failed'];

/** As in src/orders/order-status.ts; a test compares the two. */
const TRANSITIONS = [
  ['pending', 'processing'],
  ['pending', 'cancelled'],
  ['processing', 'completed'],
  ['processing', 'failed'],
  ['processing', 'cancelled'],
];

async function allow(runner: QueryRunner, statuses: readonly string[]): Promise<void> {
  await runner.query('ALTER TABLE orders DROP CONSTRAINT orders_status_check');
  await runner.query(`ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (${isOneOf(statuses)}) NOT VALID`);
}

function isOneOf(statuses: readonly string[]): string {
  return `status IN (${statuses.map((status) => `'${status}'`).join(', ')})`;
}
