import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a customer holds, and what it has bought and not cancelled, is found by an index each: `customer_lines` reads them. */
export class FindHoldsOfCustomers1767225600032 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // One that was broken off is there and not valid.
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS reservations_customer_ref_idx');
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS orders_customer_ref_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY orders_customer_ref_idx ON orders (customer_ref)
      WHERE customer_ref IS NOT NULL AND status NOT IN ('cancelled', 'failed')
    `);
    await runner.query(`
      CREATE INDEX CONCURRENTLY reservations_customer_ref_idx ON reservations (customer_ref)
      WHERE status = 'held' AND customer_ref IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS reservations_customer_ref_idx');
    await runner.query('DROP INDEX IF EXISTS orders_customer_ref_idx');
  }
}
