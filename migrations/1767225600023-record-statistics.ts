import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row a minute of what the whole shop did: every process adds its share. Arrays are counts by outcome, or by bucket of a histogram. What a minute
 * knows of the backlog is what the last process told; it is null when none could.
 */
export class RecordStatistics1767225600023 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE minute_statistics (
        minute                  timestamptz(0) CONSTRAINT minute_statistics_pkey PRIMARY KEY,
        purchases               bigint[]       NOT NULL,
        purchase_durations      bigint[]       NOT NULL,
        completed               bigint         NOT NULL,
        failed                  bigint         NOT NULL,
        completion_durations    bigint[]       NOT NULL,
        stock_outs              bigint         NOT NULL,
        cache_hits              bigint         NOT NULL,
        cache_misses            bigint         NOT NULL,
        server_errors           bigint         NOT NULL,
        open_orders             bigint,
        oldest_open_age_seconds double precision,
        version                 text           NOT NULL,
        updated_at              timestamptz(3) NOT NULL
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE minute_statistics');
  }
}
