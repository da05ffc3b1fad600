import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The movement of the initial stock, which a trigger records, tells who has made the product, where the session says it. */
export class NameMakersOfProducts1767225600030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION record_initial_stock() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO stock_movements (product_id, kind, quantity, stock_after, request_id, actor)
        SELECT id, 'initial', stock, stock, nullif(current_setting('order_system.request_id', true), ''),
               nullif(current_setting('order_system.actor', true), '')
        FROM added WHERE stock > 0;
        RETURN NULL;
      END
      $$
    `);
  }

  /** To the letter as it was made. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE OR REPLACE FUNCTION record_initial_stock() RETURNS trigger LANGUAGE plpgsql AS $$ 
    BEGIN
      INSERT INTO stock_movements (product_id, kind, quantity, stock_after)
      SELECT id, 'initial', stock, stock FROM added WHERE stock > 0;
      RETURN NULL;
    END $$`);
  }
}
