import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Refusals that are kept for an idempotency key are forgotten long before the rest, so they have an index of their own. */
export class FindRefusals1767225600018 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // One that was broken off is there and not valid.
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS idempotency_keys_refused_at_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY idempotency_keys_refused_at_idx ON idempotency_keys (created_at) WHERE error IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS idempotency_keys_refused_at_idx');
  }
}
