import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IndexLists1767225600002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
    await runner.query(`
      CREATE INDEX products_name_idx ON products USING gin (name gin_trgm_ops) WHERE deleted_at IS NULL
    `);
    await runner.query('CREATE INDEX products_live_idx ON products (id) WHERE deleted_at IS NULL');
    await runner.query('CREATE INDEX orders_status_id_idx ON orders (status, id)');
    await runner.query(`CREATE INDEX orders_open_idx ON orders (id) WHERE status IN ('pending', 'processing')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX orders_open_idx');
    await runner.query('DROP INDEX orders_status_id_idx');
    await runner.query('DROP INDEX products_live_idx');
    await runner.query('DROP INDEX products_name_idx');
  }
}
