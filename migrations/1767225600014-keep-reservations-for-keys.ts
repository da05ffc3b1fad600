import type { MigrationInterface, QueryRunner } from 'typeorm';

const OUTCOMES = 'num_nonnulls(order_id, reservation_id, body, error) = 1';

/** A reservation is an outcome that is kept for an idempotency key, like an order. Each step does no harm when it is run again. */
export class KeepReservationsForKeys1767225600014 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency_keys ADD COLUMN IF NOT EXISTS reservation_id bigint,
      DROP CONSTRAINT IF EXISTS idempotency_keys_outcome_check,
      ADD CONSTRAINT idempotency_keys_outcome_check CHECK (${OUTCOMES}) NOT VALID
    `);
    // By itself, for it reads all rows while nobody waits for it.
    await runner.query('ALTER TABLE idempotency_keys VALIDATE CONSTRAINT idempotency_keys_outcome_check');
  }

  /** What was kept of reservations is forgotten: the older constraint does not know it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM idempotency_keys WHERE reservation_id IS NOT NULL');
    await runner.query(`
      ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_outcome_check, DROP COLUMN reservation_id,
      ADD CONSTRAINT idempotency_keys_outcome_check CHECK (num_nonnulls(order_id, body, error) = 1)
    `);
  }
}
