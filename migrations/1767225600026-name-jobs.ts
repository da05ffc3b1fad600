import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A claim of an order names the job in which a worker has made it, so that an order leads to its job in the dashboard and in the log. */
export class NameJobs1767225600026 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE order_events ADD COLUMN job_id text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE order_events DROP COLUMN job_id');
  }
}
