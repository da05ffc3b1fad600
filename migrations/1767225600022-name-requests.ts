import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An event names the request that caused it (`X-Request-Id`), so that an order is found by the request that bought it, and workers log under its id. The
 * index keeps one small filter for each block of the table: it costs a purchase next to nothing, and a search reads only the blocks that may hold the id.
 */
export class NameRequests1767225600022 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE order_events ADD COLUMN IF NOT EXISTS request_id text');
    // A run that was cut off leaves an index that is not valid.
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS order_events_request_id_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY order_events_request_id_idx ON order_events
      USING brin (request_id text_bloom_ops) WITH (pages_per_range = 32, autosummarize = on)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS order_events_request_id_idx');
    await runner.query('ALTER TABLE order_events DROP COLUMN request_id');
  }
}
