import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A statement that moves thousands of orders a second sets `updated_at` itself: a call of the trigger's function for each costs more. */
export class TakeGivenTimes1767225600035 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await replaceTrigger(runner, 'WHEN (NEW.updated_at = OLD.updated_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceTrigger(runner, '');
  }
}

async function replaceTrigger(runner: QueryRunner, condition: string): Promise<void> {
  await runner.query(`
    CREATE OR REPLACE TRIGGER orders_set_updated_at BEFORE UPDATE ON orders
    FOR EACH ROW ${condition} EXECUTE FUNCTION set_updated_at()
  `);
}
