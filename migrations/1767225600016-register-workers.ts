import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A row per worker, which it touches every few seconds: one that is frozen or dead is seen by its silence. */
export class RegisterWorkers1767225600016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE workers (
        id          uuid           CONSTRAINT workers_pkey PRIMARY KEY,
        started_at  timestamptz(3) NOT NULL,
        seen_at     timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        version     text           NOT NULL,
        concurrency integer        NOT NULL,
        in_flight   integer        NOT NULL
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE workers');
  }
}
