import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Letters that `lower` leaves as they are although Unicode's full case folding does not, once a text is decomposed. */
const FOLDED_APART = { from: 'ͅςᲀᲁᲂᲃᲄᲅᲆᲇᲈ', to: 'ισвдосттъѣꙋ' };
const INDEX = 'products_block_search_idx';
const BATCH_SIZE = 500;

/**
 * Names are found as a shopper sees them, in every script and whatever the locale of the database is. `products.search_name` is the
 * name in the form of NFKC with full case folding, which one function makes of names and of what is looked for. The column is filled by a
 * trigger, so that names which the release before writes are found as well, and for the rows that are there in small batches. The index
 * knows every letter, and every two and three in a row, of any script: the trigrams of `pg_trgm` go by `LC_CTYPE`, and know ASCII alone
 * where that is `C`. The indexes that it takes the place of serve the release before.
 */
export class FoldNames1767225600019 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await createFunctions(runner);
    await createSearchFunctions(runner);
    await runner.query('ALTER TABLE products ADD COLUMN IF NOT EXISTS search_name text');
    await runner.query(`
      CREATE OR REPLACE TRIGGER products_fold_name BEFORE INSERT OR UPDATE OF name ON products
      FOR EACH ROW EXECUTE FUNCTION fold_product_name()
    `);
    // Filling the column is no change of a product.
    await runner.query(`
      CREATE OR REPLACE TRIGGER products_set_updated_at BEFORE UPDATE ON products FOR EACH ROW
      WHEN (OLD.search_name IS NOT DISTINCT FROM NEW.search_name OR OLD.name IS DISTINCT FROM NEW.name)
      EXECUTE FUNCTION set_updated_at()
    `);
    await fillColumn(runner);
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${INDEX}`);
    await runner.query(`
      CREATE INDEX CONCURRENTLY ${INDEX} ON products USING gin (((id >> 15) | 0), search_grams(search_name))
      WITH (gin_pending_list_limit = 64) WHERE deleted_at IS NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX IF EXISTS ${INDEX}`);
    await runner.query(`
      CREATE OR REPLACE TRIGGER products_set_updated_at BEFORE UPDATE ON products
      FOR EACH ROW EXECUTE FUNCTION set_updated_at()
    `);
    await runner.query('DROP TRIGGER IF EXISTS products_fold_name ON products');
    await runner.query('ALTER TABLE products DROP COLUMN IF EXISTS search_name');
    for (const name of [
      'fold_product_name()',
      'search_pattern(text)',
      'search_keys(text)',
      'search_grams(text)',
      'fold_name(text)',
    ])
      await runner.query(`DROP FUNCTION IF EXISTS ${name}`);
  }
}

/**
 * Unicode's NFKC and full case folding, of decomposed letters: all but the sharp s fold to one letter each then. `pg_c_utf8` is there
 * from PostgreSQL 17 on, and is the same in every cluster. `search_grams` is called dear, so that PostgreSQL never plans to work it out
 * for each row.
 */
async function createFunctions(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE OR REPLACE FUNCTION fold_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT normalize(lower(translate(
        replace(replace(normalize(name, NFKD), 'ß', 'ss'), 'ẞ', 'ss'), '${FOLDED_APART.from}', '${FOLDED_APART.to}'
      ) COLLATE "pg_c_utf8"), NFKC)
    $$
  `);
  await runner.query(`
    CREATE OR REPLACE FUNCTION fold_product_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.search_name := fold_name(NEW.name);
      RETURN NEW;
    END $$
  `);
  await runner.query(`
    CREATE OR REPLACE FUNCTION search_grams(folded text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
    DECLARE
      letters text[] := string_to_array(folded, NULL);
      grams text[] := letters;
    BEGIN
      FOR i IN 2 .. cardinality(letters) LOOP
        grams := grams || (letters[i - 1] || letters[i]);
        IF i > 2 THEN grams := grams || (letters[i - 2] || letters[i - 1] || letters[i]); END IF;
      END LOOP;
      RETURN grams;
    END $$
  `);
}

/** What a search looks for: the longest parts of it that the index knows, and the pattern that a hit matches. */
async function createSearchFunctions(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE OR REPLACE FUNCTION search_keys(search text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    DECLARE
      folded text := btrim(fold_name(search));
      length integer := least(char_length(folded), 3);
    BEGIN
      RETURN ARRAY(SELECT substr(folded, first, length) FROM generate_series(1, char_length(folded) - length + 1) AS first);
    END $$
  `);
  await runner.query(`
    CREATE OR REPLACE FUNCTION search_pattern(search text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT '%' || regexp_replace(btrim(fold_name(search)), '([\\\\%_])', '\\\\\\1', 'g') || '%'
    $$
  `);
}

/** Products are locked in ascending id and for a moment only, as everywhere. */
async function fillColumn(runner: QueryRunner): Promise<void> {
  let filled: { id: number }[];
  do {
    filled = await runner.manager.query<{ id: number }[]>(`
      WITH unfilled AS MATERIALIZED (
        SELECT id FROM products WHERE search_name IS NULL ORDER BY id LIMIT ${BATCH_SIZE} FOR UPDATE
      ), filled AS (
        UPDATE products SET search_name = fold_name(name) WHERE id IN (SELECT id FROM unfilled) RETURNING id
      )
      SELECT id FROM filled
    `);
  } while (filled.length > 0);
}
