import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Gives the log of events a name, which is part of every cursor that clients keep. The name is of this database and stands in no backup: after
 * a restore the log has another one, and cursors of before are known for what they are.
 */
export class NameEventLog1767225600021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE event_log (
        id   smallint CONSTRAINT event_log_pkey PRIMARY KEY DEFAULT 1 CONSTRAINT event_log_id_check CHECK (id = 1),
        name uuid     NOT NULL DEFAULT gen_random_uuid()
      )
    `);
    await runner.query('INSERT INTO event_log DEFAULT VALUES');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE event_log');
  }
}
