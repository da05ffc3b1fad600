import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateProducts1767225600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.updated_at := clock_timestamp();
        RETURN NEW;
      END
      $$
    `);
    await runner.query(`
      CREATE TABLE products (
        id         bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT products_pkey PRIMARY KEY,
        name       varchar(255)   NOT NULL,
        price      numeric(12, 2) NOT NULL CONSTRAINT products_price_check CHECK (price > 0),
        stock      integer        NOT NULL CONSTRAINT products_stock_check CHECK (stock >= 0),
        deleted_at timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now()
      )
    `);
    await runner.query(`
      CREATE TRIGGER products_set_updated_at BEFORE UPDATE ON products
      FOR EACH ROW EXECUTE FUNCTION set_updated_at()
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE products');
    await runner.query('DROP FUNCTION set_updated_at()');
  }
}
