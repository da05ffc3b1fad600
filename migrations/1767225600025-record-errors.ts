import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What else a minute knows: how many problems of each code were answered, the largest share of a pool's connections that was in use, the fewest workers that were alive,
 * and whether the queue's Redis answered everybody who asked.
 */
export class RecordErrors1767225600025 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE minute_statistics
        ADD COLUMN errors jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN pool_usage double precision,
        ADD COLUMN workers_alive integer,
        ADD COLUMN queue_available boolean
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE minute_statistics
        DROP COLUMN queue_available, DROP COLUMN workers_alive, DROP COLUMN pool_usage, DROP COLUMN errors
    `);
  }
}
