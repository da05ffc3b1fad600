import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The orders of a customer are listed by an index of their own; an order without one costs it nothing. */
export class FindOrdersOfCustomers1767225600029 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // One that was broken off is there and not valid.
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS orders_customer_ref_id_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY orders_customer_ref_id_idx ON orders (customer_ref, id) WHERE customer_ref IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS orders_customer_ref_id_idx');
  }
}
