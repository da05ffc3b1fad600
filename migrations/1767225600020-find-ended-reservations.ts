import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reservations that were released or have expired are removed after a time; those that are old enough are found by an index. */
export class FindEndedReservations1767225600020 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // One that was broken off is there and not valid.
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS reservations_ended_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY reservations_ended_idx ON reservations (updated_at) WHERE status IN ('released', 'expired')
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS reservations_ended_idx');
  }
}
