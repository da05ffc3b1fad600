import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What requests with an `Idempotency-Key` were answered: an order, a body or a refusal. */
export class CreateIdempotencyKeys1767225600007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_keys (
        key         text           COLLATE "C" CONSTRAINT idempotency_keys_pkey PRIMARY KEY,
        fingerprint text           NOT NULL,
        order_id    bigint,
        body        text,
        error       jsonb,
        created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT idempotency_keys_outcome_check CHECK (num_nonnulls(order_id, body, error) = 1)
      )
    `);
    await runner.query('CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency_keys');
  }
}
