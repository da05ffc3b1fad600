import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each audit of stock, ledger and orders has found. */
export class CreateAuditRuns1767225600008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_runs (
        id          bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_runs_pkey PRIMARY KEY,
        started_at  timestamptz(3) NOT NULL,
        finished_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        products    bigint         NOT NULL,
        orders      bigint         NOT NULL,
        movements   bigint         NOT NULL,
        findings    jsonb          NOT NULL
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE audit_runs');
  }
}
