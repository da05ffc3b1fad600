import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who changed what, beside stock and orders, which have histories of their own. The role of the application may only add rows. */
export class RecordActions1767225600024 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE actions (
        id         bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT actions_pkey PRIMARY KEY,
        type       text           NOT NULL,
        actor      text,
        details    jsonb          NOT NULL,
        request_id text,
        created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE actions');
  }
}
