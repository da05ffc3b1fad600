import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What somebody holds is found by an index of its own. */
export class FindHoldsOfHolders1767225600034 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // One that was broken off is there and not valid.
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS reservations_held_by_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY reservations_held_by_idx ON reservations (held_by) WHERE status = 'held' AND held_by IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS reservations_held_by_idx');
  }
}
