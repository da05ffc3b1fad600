import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The letters of a name and its pairs of letters, for searches that hold no three letters in a row, of which the index of
 * trigrams knows nothing. Called dear, so that PostgreSQL never plans to work them out for each row.
 */
export class IndexNameGrams1767225600011 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION name_grams(name text) RETURNS text[]
      LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
      DECLARE
        letters text[] := string_to_array(lower(name), NULL);
        grams text[] := letters;
      BEGIN
        FOR i IN 2 .. cardinality(letters) LOOP
          grams := grams || (letters[i - 1] || letters[i]);
        END LOOP;
        RETURN grams;
      END $$
    `);
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS products_name_grams_idx');
    await runner.query(`
      CREATE INDEX CONCURRENTLY products_name_grams_idx ON products USING gin (name_grams(name)) WHERE deleted_at IS NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX products_name_grams_idx');
    await runner.query('DROP FUNCTION name_grams');
  }
}
