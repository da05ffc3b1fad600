import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stock that is held for a checkout: taken as a `hold`, and given back by a `release` unless an order takes it over. */
export class CreateReservations1767225600009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE reservations (
        id         bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT reservations_pkey PRIMARY KEY,
        status     text           NOT NULL DEFAULT 'held'
          CONSTRAINT reservations_status_check CHECK (status IN ('held', 'confirmed', 'released', 'expired')),
        expires_at timestamptz(3) NOT NULL,
        order_id   bigint         CONSTRAINT reservations_order_id_key UNIQUE
          CONSTRAINT reservations_order_id_fkey REFERENCES orders (id),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT reservations_confirmed_check CHECK ((status = 'confirmed') = (order_id IS NOT NULL))
      )
    `);
    await runner.query(`CREATE INDEX reservations_held_idx ON reservations (expires_at) WHERE status = 'held'`);
    await runner.query(`
      CREATE TRIGGER reservations_set_updated_at BEFORE UPDATE ON reservations
      FOR EACH ROW EXECUTE FUNCTION set_updated_at()
    `);
    await runner.query(`
      CREATE TABLE reservation_items (
        reservation_id bigint  NOT NULL
          CONSTRAINT reservation_items_reservation_id_fkey REFERENCES reservations (id),
        product_id     bigint  NOT NULL CONSTRAINT reservation_items_product_id_fkey REFERENCES products (id),
        quantity       integer NOT NULL CONSTRAINT reservation_items_quantity_check CHECK (quantity > 0),
        CONSTRAINT reservation_items_pkey PRIMARY KEY (reservation_id, product_id)
      )
    `);
    await admitHolds(runner);
  }

  /** Refused while the ledger has movements of reservations, which the older constraints do not know. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_kind_check,
      DROP CONSTRAINT stock_movements_order_id_check, DROP CONSTRAINT stock_movements_direction_check,
      DROP COLUMN reservation_id
    `);
    await constrain(runner, {
      kind: `kind IN ('initial', 'adjustment', 'sale', 'release')`,
      order_id: `(kind IN ('sale', 'release')) = (order_id IS NOT NULL)`,
      direction: `CASE kind WHEN 'adjustment' THEN true WHEN 'sale' THEN quantity < 0 ELSE quantity > 0 END`,
    });
    await runner.query('DROP TABLE reservation_items');
    await runner.query('DROP TABLE reservations');
  }
}

async function admitHolds(runner: QueryRunner): Promise<void> {
  await runner.query(`
    ALTER TABLE stock_movements ADD COLUMN reservation_id bigint,
    DROP CONSTRAINT stock_movements_kind_check, DROP CONSTRAINT stock_movements_order_id_check,
    DROP CONSTRAINT stock_movements_direction_check
  `);
  await constrain(runner, {
    kind: `kind IN ('initial', 'adjustment', 'sale', 'hold', 'release')`,
    order_id: `CASE kind WHEN 'sale' THEN order_id IS NOT NULL AND reservation_id IS NULL
                         WHEN 'hold' THEN order_id IS NULL AND reservation_id IS NOT NULL
                         WHEN 'release' THEN num_nonnulls(order_id, reservation_id) = 1
                         ELSE num_nonnulls(order_id, reservation_id) = 0 END`,
    direction: `CASE WHEN kind = 'adjustment' THEN true WHEN kind IN ('sale', 'hold') THEN quantity < 0 ELSE quantity > 0 END`,
  });
}

/** Validated by the next migration, which keeps nobody from selling. */
async function constrain(runner: QueryRunner, checks: Record<string, string>): Promise<void> {
  for (const [name, check] of Object.entries(checks)) {
    const constraint = `stock_movements_${name}_check`;
    await runner.query(`ALTER TABLE stock_movements ADD CONSTRAINT ${constraint} CHECK (${check}) NOT VALID`);
  }
}
