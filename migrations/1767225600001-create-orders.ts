import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOrders1767225600001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE orders (
        id          bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT orders_pkey PRIMARY KEY,
        total_price numeric(16, 2) NOT NULL CONSTRAINT orders_total_price_check CHECK (total_price > 0),
        status      text           NOT NULL DEFAULT 'pending'
          CONSTRAINT orders_status_check CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
        created_at  timestamptz(3) NOT NULL DEFAULT now(),
        updated_at  timestamptz(3) NOT NULL DEFAULT now()
      )
    `);
    await runner.query(`
      CREATE TRIGGER orders_set_updated_at BEFORE UPDATE ON orders
      FOR EACH ROW EXECUTE FUNCTION set_updated_at()
    `);
    await runner.query(`
      CREATE TABLE order_items (
        order_id   bigint         NOT NULL CONSTRAINT order_items_order_id_fkey REFERENCES orders (id),
        product_id bigint         NOT NULL CONSTRAINT order_items_product_id_fkey REFERENCES products (id),
        quantity   integer        NOT NULL CONSTRAINT order_items_quantity_check CHECK (quantity > 0),
        unit_price numeric(12, 2) NOT NULL CONSTRAINT order_items_unit_price_check CHECK (unit_price > 0),
        CONSTRAINT order_items_pkey PRIMARY KEY (order_id, product_id)
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE order_items');
    await runner.query('DROP TABLE orders');
  }
}
