import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A reservation tells who holds it: a customer, or whoever has sent the request. */
export class NameHolders1767225600033 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE reservations ADD COLUMN held_by text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE reservations DROP COLUMN held_by');
  }
}
