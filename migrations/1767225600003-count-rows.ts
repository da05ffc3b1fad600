import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How many rows the lists hold, by blocks of ids (see src/database/row-counts.ts). A change of a row appends a change of
 * its block's count, so that writers never wait for each other; the counts take them in from time to time.
 */
export class CountRows1767225600003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE row_counts (
        list  text     NOT NULL,
        level smallint NOT NULL CONSTRAINT row_counts_level_check CHECK (level IN (0, 1)),
        block bigint   NOT NULL,
        rows  bigint   NOT NULL,
        CONSTRAINT row_counts_pkey PRIMARY KEY (list, level, block)
      )
    `);
    await runner.query(`
      CREATE TABLE row_count_changes (list text NOT NULL, block bigint NOT NULL, change bigint NOT NULL)
      WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0)
    `);
    for (const [name, text] of Object.entries(FUNCTIONS)) {
      await runner.query(`CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ ${text} $$`);
    }
    for (const [name, definition] of Object.entries(TRIGGERS)) {
      await runner.query(`CREATE TRIGGER ${name} ${definition}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [name, definition] of Object.entries(TRIGGERS)) {
      const [, table] = / ON (\w+)/.exec(definition) ?? [];
      await runner.query(`DROP TRIGGER ${name} ON ${table}`);
    }
    for (const name of Object.keys(FUNCTIONS)) await runner.query(`DROP FUNCTION ${name}()`);
    await runner.query('DROP TABLE row_count_changes');
    await runner.query('DROP TABLE row_counts');
  }
}

const FUNCTIONS = {
  count_orders: `
    BEGIN
      IF TG_OP <> 'DELETE' THEN
        INSERT INTO row_count_changes SELECT 'orders:' || status, id >> 10, count(*) FROM added GROUP BY 1, 2;
      END IF;
      IF TG_OP <> 'INSERT' THEN
        INSERT INTO row_count_changes SELECT 'orders:' || status, id >> 10, -count(*) FROM removed GROUP BY 1, 2;
      END IF;
      RETURN NULL;
    END`,
  count_products: `
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO row_count_changes
        SELECT 'products', id >> 10, count(*) FROM added WHERE deleted_at IS NULL GROUP BY 2;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO row_count_changes
        SELECT 'products', id >> 10, -count(*) FROM removed WHERE deleted_at IS NULL GROUP BY 2;
      ELSE
        INSERT INTO row_count_changes
        VALUES ('products', NEW.id >> 10, CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END);
      END IF;
      RETURN NULL;
    END`,
  forget_row_counts: `
    BEGIN
      DELETE FROM row_counts WHERE list ^@ TG_TABLE_NAME::text;
      DELETE FROM row_count_changes WHERE list ^@ TG_TABLE_NAME::text;
      RETURN NULL;
    END`,
};

/** A sale changes the stock of a product and never its place in the list: it pays nothing. */
const TRIGGERS = {
  orders_count_insert: `AFTER INSERT ON orders
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_orders()`,
  orders_count_update: `AFTER UPDATE ON orders
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_orders()`,
  orders_count_delete: `AFTER DELETE ON orders
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_orders()`,
  orders_forget_counts: 'AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION forget_row_counts()',
  products_count_insert: `AFTER INSERT ON products
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_products()`,
  products_count_update: `AFTER UPDATE OF deleted_at ON products FOR EACH ROW
    WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION count_products()`,
  products_count_delete: `AFTER DELETE ON products
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_products()`,
  products_forget_counts: 'AFTER TRUNCATE ON products FOR EACH STATEMENT EXECUTE FUNCTION forget_row_counts()',
};
