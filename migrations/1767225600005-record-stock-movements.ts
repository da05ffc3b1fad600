import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The stock ledger: one row for each change of a product's stock, and never a row less. The application writes the movement
 * with the change, in one statement; a change that came without one, by hand for instance, is recorded by a trigger.
 *
 * Nothing is sold while the past is written down, some ten seconds a million orders; buyers get a 503 that long.
 */
export class RecordStockMovements1767225600005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('LOCK TABLE orders, order_items, products IN SHARE ROW EXCLUSIVE MODE');
    await runner.query(`
      CREATE TABLE stock_movements (
        id          bigint         GENERATED ALWAYS AS IDENTITY,
        product_id  bigint         NOT NULL,
        kind        text           NOT NULL
          CONSTRAINT stock_movements_kind_check CHECK (kind IN ('initial', 'adjustment', 'sale', 'release')),
        quantity    bigint         NOT NULL CONSTRAINT stock_movements_quantity_check CHECK (quantity <> 0),
        stock_after bigint         NOT NULL CONSTRAINT stock_movements_stock_after_check CHECK (stock_after >= 0),
        order_id    bigint,
        reason      text,
        created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT stock_movements_pkey PRIMARY KEY (product_id, id),
        CONSTRAINT stock_movements_order_id_check CHECK ((kind IN ('sale', 'release')) = (order_id IS NOT NULL)),
        CONSTRAINT stock_movements_direction_check
          CHECK (CASE kind WHEN 'adjustment' THEN true WHEN 'sale' THEN quantity < 0 ELSE quantity > 0 END)
      )
    `);
    await runner.query(RECORD_THE_PAST);
    for (const [name, text] of Object.entries(FUNCTIONS)) {
      await runner.query(`CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ ${text} $$`);
    }
    for (const [name, definition] of Object.entries(TRIGGERS)) {
      await runner.query(`CREATE TRIGGER ${name} ${definition}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER products_record_initial_stock ON products');
    await runner.query('DROP TRIGGER products_record_stock ON products');
    await runner.query('DROP TABLE stock_movements');
    for (const name of Object.keys(FUNCTIONS)) await runner.query(`DROP FUNCTION ${name}()`);
  }
}

/**
 * What was sold and released so far, after an initial stock from which all of it could be taken. What that stock is above
 * what there was, for units that went back, is adjusted last.
 */
const RECORD_THE_PAST = `
  WITH sold AS (
    SELECT product_id, order_id, quantity, created_at, updated_at, status = 'failed' AS was_released
    FROM order_items JOIN orders ON orders.id = order_id
  ), totals AS (
    SELECT product_id, sum(quantity) AS units, coalesce(sum(quantity) FILTER (WHERE was_released), 0) AS released
    FROM sold GROUP BY product_id
  ), past AS (
    SELECT id AS product_id, 1 AS place, 'initial' AS kind, stock + coalesce(units, 0) AS quantity,
           NULL::bigint AS order_id, created_at
    FROM products LEFT JOIN totals ON product_id = id
    UNION ALL SELECT product_id, 2, 'sale', -quantity, order_id, created_at FROM sold
    UNION ALL SELECT product_id, 3, 'release', quantity, order_id, updated_at FROM sold WHERE was_released
    UNION ALL SELECT product_id, 4, 'adjustment', -released, NULL, now() FROM totals
  )
  INSERT INTO stock_movements (product_id, kind, quantity, stock_after, order_id, reason, created_at)
  SELECT product_id, kind, quantity,
         sum(quantity) OVER (PARTITION BY product_id ORDER BY place, order_id),
         order_id, CASE WHEN place IN (1, 4) THEN 'the ledger begins' END, created_at
  FROM past WHERE quantity <> 0
  ORDER BY product_id, place, order_id`;

const FUNCTIONS = {
  record_initial_stock: `
    BEGIN
      INSERT INTO stock_movements (product_id, kind, quantity, stock_after)
      SELECT id, 'initial', stock, stock FROM added WHERE stock > 0;
      RETURN NULL;
    END`,
  /** Compares with the last movement, which is the change's own when it was written with it. */
  record_stock: `
    DECLARE
      recorded bigint := coalesce(
        (SELECT stock_after FROM stock_movements WHERE product_id = NEW.id ORDER BY id DESC LIMIT 1), 0);
    BEGIN
      IF recorded <> NEW.stock THEN
        INSERT INTO stock_movements (product_id, kind, quantity, stock_after, reason)
        VALUES (NEW.id, 'adjustment', NEW.stock - recorded, NEW.stock, 'changed in SQL by ' || session_user);
      END IF;
      RETURN NULL;
    END`,
  refuse_change: `
    BEGIN
      RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END`,
};

const TRIGGERS = {
  products_record_initial_stock: `AFTER INSERT ON products
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION record_initial_stock()`,
  products_record_stock: `AFTER UPDATE OF stock ON products FOR EACH ROW
    WHEN (OLD.stock <> NEW.stock) EXECUTE FUNCTION record_stock()`,
  stock_movements_append_only: `BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
};
