import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ledger takes corrections: the entry that sets a ledger right which somebody has got round. Looks through the rows that are there
 * while the shop goes on selling. Each step does no harm when it is run again.
 */
export class AdmitCorrections1767225600017 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await replaceChecks(runner, {
      kind: `kind IN ('initial', 'adjustment', 'correction', 'sale', 'hold', 'release')`,
      direction: `CASE WHEN kind IN ('adjustment', 'correction') THEN true WHEN kind IN ('sale', 'hold') THEN quantity < 0 ELSE quantity > 0 END`,
    });
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS stock_movements_correction_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY stock_movements_correction_idx ON stock_movements (product_id, id) WHERE kind = 'correction'
    `);
  }

  /** Refused while the ledger has corrections, which the older constraints do not know. */
  async down(runner: QueryRunner): Promise<void> {
    await replaceChecks(runner, {
      kind: `kind IN ('initial', 'adjustment', 'sale', 'hold', 'release')`,
      direction: `CASE WHEN kind = 'adjustment' THEN true WHEN kind IN ('sale', 'hold') THEN quantity < 0 ELSE quantity > 0 END`,
    });
    await runner.query('DROP INDEX IF EXISTS stock_movements_correction_idx');
  }
}

async function replaceChecks(runner: QueryRunner, checks: Record<string, string>): Promise<void> {
  for (const [name, check] of Object.entries(checks)) {
    const constraint = `stock_movements_${name}_check`;
    await runner.query(
      `ALTER TABLE stock_movements DROP CONSTRAINT IF EXISTS ${constraint}, ADD CONSTRAINT ${constraint} CHECK (${check}) NOT VALID`,
    );
    await runner.query(`ALTER TABLE stock_movements VALIDATE CONSTRAINT ${constraint}`);
  }
}
