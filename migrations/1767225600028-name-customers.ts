import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Orders and reservations name their customer, and a key may be a customer's. */
export class NameCustomers1767225600028 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE orders ADD COLUMN customer_ref text');
    await runner.query('ALTER TABLE reservations ADD COLUMN customer_ref text');
    await runner.query('ALTER TABLE api_keys ADD COLUMN customer_ref text');
    await countChanges(runner, ['customer_ref']);
  }

  async down(runner: QueryRunner): Promise<void> {
    await countChanges(runner, []);
    await runner.query('ALTER TABLE api_keys DROP COLUMN customer_ref');
    await runner.query('ALTER TABLE reservations DROP COLUMN customer_ref');
    await runner.query('ALTER TABLE orders DROP COLUMN customer_ref');
  }
}

/** What changes what a key may do, so that every process reads the keys again. */
async function countChanges(runner: QueryRunner, more: readonly string[]): Promise<void> {
  const columns = [
    'role',
    'scopes',
    'digest',
    'previous_digest',
    'previous_expires_at',
    'expires_at',
    'revoked_at',
    ...more,
  ];
  await runner.query('DROP TRIGGER api_keys_count_change ON api_keys');
  await runner.query(`
    CREATE TRIGGER api_keys_count_change
      AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF ${columns.join(', ')} ON api_keys
      FOR EACH STATEMENT EXECUTE FUNCTION count_api_key_change()
  `);
}
