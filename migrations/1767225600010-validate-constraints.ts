import type { MigrationInterface, QueryRunner } from 'typeorm';

const CONSTRAINTS = {
  orders: ['orders_status_check'],
  stock_movements: ['stock_movements_kind_check', 'stock_movements_order_id_check', 'stock_movements_direction_check'],
};

/** Looks through rows that are older than their constraints, while the shop goes on selling. */
export class ValidateConstraints1767225600010 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, names] of Object.entries(CONSTRAINTS)) {
      for (const name of names) await runner.query(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`);
    }
  }

  async down(): Promise<void> {
    // A constraint that is valid does no harm.
  }
}
