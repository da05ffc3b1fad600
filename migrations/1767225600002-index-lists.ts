import type { MigrationInterface, QueryRunner } from 'typeorm';

const INDEXES = {
  products_name_idx: 'products USING gin (name gin_trgm_ops) WHERE deleted_at IS NULL',
  products_live_idx: 'products (id) WHERE deleted_at IS NULL',
  orders_status_id_idx: 'orders (status, id)',
  orders_open_idx: `orders (id) WHERE status IN ('pending', 'processing')`,
};

/** Built while the shop goes on selling; what a broken run left behind unfinished is built anew. */
export class IndexLists1767225600002 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
    for (const [name, definition] of Object.entries(INDEXES)) {
      await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
      await runner.query(`CREATE INDEX CONCURRENTLY ${name} ON ${definition}`);
    }
  }

  /** TypeORM reverts in a transaction, where an index cannot be dropped without a moment's lock. */
  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(INDEXES).reverse()) await runner.query(`DROP INDEX ${name}`);
  }
}
