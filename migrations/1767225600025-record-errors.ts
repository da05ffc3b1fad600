import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What else a minute knows: how many problems of each code were answered, and the largest share of a pool's connections that was in use. */
export class RecordErrors1767225600025 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE minute_statistics
        ADD COLUMN errors jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN pool_usage double precision
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE minute_statistics DROP COLUMN pool_usage, DROP COLUMN errors');
  }
}
