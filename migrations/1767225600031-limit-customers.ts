import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A product may be sold so often to one customer. What a customer has of such a product, bought and held, stands in a row of its own, which
 * is changed under the product's lock; `customer_lines` is what it begins from when there is no row yet.
 */
export class LimitCustomers1767225600031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE products ADD COLUMN max_per_customer integer');
    await runner.query(`
      CREATE TABLE customer_counts (
        product_id   bigint  NOT NULL CONSTRAINT customer_counts_product_id_fkey REFERENCES products (id),
        customer_ref text    NOT NULL,
        quantity     integer NOT NULL,
        maximum      integer NOT NULL,
        CONSTRAINT customer_counts_pkey PRIMARY KEY (product_id, customer_ref),
        CONSTRAINT customer_counts_quantity_check CHECK (quantity BETWEEN 0 AND maximum)
      )
    `);
    await runner.query(`
      CREATE VIEW customer_lines AS
        SELECT customer_ref, product_id, quantity FROM orders JOIN order_items ON order_id = orders.id
        WHERE customer_ref IS NOT NULL AND status NOT IN ('cancelled', 'failed')
        UNION ALL
        SELECT customer_ref, product_id, quantity FROM reservations JOIN reservation_items ON reservation_id = reservations.id
        WHERE customer_ref IS NOT NULL AND status = 'held'
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW customer_lines');
    await runner.query('DROP TABLE customer_counts');
    await runner.query('ALTER TABLE products DROP COLUMN max_per_customer');
  }
}
