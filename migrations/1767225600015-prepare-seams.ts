import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What gateways and subscribers need, and the columns that name who did something. All of it only adds: processes of the release
 * before run on. Each step does no harm when it is run again.
 *
 * - `order_events.type` is the type of an event that its status does not tell; the index by `id` is for reading the log.
 * - `orders.fulfilment_key` is what a gateway knows an order by; an order without one is known by its id.
 * - `fulfilment_undos` holds the orders whose fulfilment is to be cancelled at the gateway, until that has succeeded.
 * - `idempotency_keys.key_hash` will replace `key` when no older process is left.
 */
export class PrepareSeams1767225600015 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE order_events ADD COLUMN IF NOT EXISTS type text, ADD COLUMN IF NOT EXISTS actor text,
      ADD COLUMN IF NOT EXISTS request_id text
    `);
    await runner.query(`
      ALTER TABLE stock_movements ADD COLUMN IF NOT EXISTS actor text, ADD COLUMN IF NOT EXISTS request_id text
    `);
    await runner.query('ALTER TABLE orders ADD COLUMN IF NOT EXISTS fulfilment_key uuid');
    await runner.query('ALTER TABLE idempotency_keys ADD COLUMN IF NOT EXISTS key_hash bytea');
    await runner.query(`
      CREATE TABLE IF NOT EXISTS fulfilment_undos (
        order_id   bigint         CONSTRAINT fulfilment_undos_pkey PRIMARY KEY
          CONSTRAINT fulfilment_undos_order_id_fkey REFERENCES orders (id),
        due_at     timestamptz(3) NOT NULL,
        attempts   integer        NOT NULL DEFAULT 0,
        last_error text,
        created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
      )
    `);
    await runner.query('CREATE INDEX IF NOT EXISTS fulfilment_undos_due_at_idx ON fulfilment_undos (due_at)');
    await this.createSubscriptions(runner);
    await this.guardKeys(runner);
    // One that was broken off is there and not valid.
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS order_events_id_idx');
    await runner.query('CREATE INDEX CONCURRENTLY order_events_id_idx ON order_events (id)');
  }

  /** Refused while a gateway would be asked for an order under another key, or an undo would be forgotten. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM fulfilment_undos)
          OR EXISTS (SELECT FROM orders WHERE status = 'processing' AND fulfilment_key IS NOT NULL) THEN
          RAISE EXCEPTION 'Orders are under way, or are to be undone at the gateway: let a worker of this version end them first';
        END IF;
      END $$
    `);
    await runner.query('DROP INDEX IF EXISTS order_events_id_idx');
    await runner.query('DROP TRIGGER IF EXISTS orders_fulfilment_key ON orders');
    await runner.query('DROP FUNCTION IF EXISTS leave_to_newer_worker()');
    await runner.query('DROP TABLE IF EXISTS event_deliveries');
    await runner.query('DROP TABLE IF EXISTS event_subscriptions');
    await runner.query('DROP TABLE IF EXISTS fulfilment_undos');
    await runner.query('ALTER TABLE idempotency_keys DROP COLUMN IF EXISTS key_hash');
    await runner.query('ALTER TABLE orders DROP COLUMN IF EXISTS fulfilment_key');
    await runner.query('ALTER TABLE stock_movements DROP COLUMN IF EXISTS actor, DROP COLUMN IF EXISTS request_id');
    await runner.query(`
      ALTER TABLE order_events DROP COLUMN IF EXISTS type, DROP COLUMN IF EXISTS actor, DROP COLUMN IF EXISTS request_id
    `);
  }

  /**
   * A worker of the release before would call for an order by its id, and after its crash a worker of this one would call by the
   * key: the provider would take them for two. So an older worker does not get an order that has a key; it leaves it alone like one
   * that has ended, and the sweep dispatches it to a worker that knows.
   */
  private async guardKeys(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION leave_to_newer_worker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$
    `);
    await runner.query('DROP TRIGGER IF EXISTS orders_fulfilment_key ON orders');
    await runner.query(`
      CREATE TRIGGER orders_fulfilment_key BEFORE UPDATE OF status ON orders FOR EACH ROW
      WHEN (NEW.status = 'processing' AND NEW.fulfilment_key IS NOT NULL
        AND current_setting('application_name') = 'order-system'
        AND current_setting('order_system.knows_fulfilment_keys', true) IS DISTINCT FROM 'on')
      EXECUTE FUNCTION leave_to_newer_worker()
    `);
  }

  private async createSubscriptions(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS event_subscriptions (
        name        text           CONSTRAINT event_subscriptions_pkey PRIMARY KEY,
        cursor      bigint         NOT NULL,
        holder      uuid,
        held_until  timestamptz(3) NOT NULL DEFAULT '-infinity',
        created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp()
      )
    `);
    await runner.query(`
      CREATE TABLE IF NOT EXISTS event_deliveries (
        subscription text           NOT NULL
          CONSTRAINT event_deliveries_subscription_fkey REFERENCES event_subscriptions (name) ON DELETE CASCADE,
        event_id     bigint         NOT NULL,
        order_id     bigint         NOT NULL,
        attempts     integer        NOT NULL,
        due_at       timestamptz(3) NOT NULL,
        parked_at    timestamptz(3),
        error        text           NOT NULL,
        CONSTRAINT event_deliveries_pkey PRIMARY KEY (subscription, event_id)
      )
    `);
    await runner.query(`
      CREATE INDEX IF NOT EXISTS event_deliveries_open_idx ON event_deliveries (subscription, order_id, event_id)
      WHERE parked_at IS NULL
    `);
    await runner.query(`
      CREATE INDEX IF NOT EXISTS event_deliveries_due_idx ON event_deliveries (subscription, due_at)
      WHERE parked_at IS NULL
    `);
  }
}
