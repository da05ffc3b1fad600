import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who may come in. A key is 256 random bits, of which the SHA-256 is kept. `api_keys_version` counts each change of what a key may do, so
 * that processes see by one number whether they have to read the keys again; the last use of a key is none.
 */
export class CreateApiKeys1767225600027 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE api_keys (
        id                  bigint         GENERATED ALWAYS AS IDENTITY CONSTRAINT api_keys_pkey PRIMARY KEY,
        name                text           NOT NULL,
        role                text,
        scopes              text[]         NOT NULL DEFAULT '{}',
        digest              bytea          NOT NULL,
        previous_digest     bytea,
        previous_expires_at timestamptz(3),
        created_by          text,
        created_at          timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        expires_at          timestamptz(3),
        revoked_at          timestamptz(3),
        last_used_at        timestamptz(3),
        CONSTRAINT api_keys_scopes_check CHECK ((role IS NULL) = (cardinality(scopes) > 0)),
        CONSTRAINT api_keys_digest_check CHECK (octet_length(digest) = 32 AND octet_length(previous_digest) = 32),
        CONSTRAINT api_keys_previous_check CHECK ((previous_digest IS NULL) = (previous_expires_at IS NULL))
      )
    `);
    await countChanges(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE api_keys');
    await runner.query('DROP TABLE api_keys_version');
    await runner.query('DROP FUNCTION count_api_key_change');
  }
}

async function countChanges(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE api_keys_version (
      id      smallint CONSTRAINT api_keys_version_pkey PRIMARY KEY DEFAULT 1,
      version bigint   NOT NULL,
      CONSTRAINT api_keys_version_one_row_check CHECK (id = 1)
    )
  `);
  await runner.query('INSERT INTO api_keys_version (version) VALUES (1)');
  await runner.query(`
    CREATE FUNCTION count_api_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE api_keys_version SET version = version + 1 WHERE id = 1;
      RETURN NULL;
    END
    $$
  `);
  await runner.query(`
    CREATE TRIGGER api_keys_count_change
      AFTER INSERT OR DELETE OR TRUNCATE
        OR UPDATE OF role, scopes, digest, previous_digest, previous_expires_at, expires_at, revoked_at ON api_keys
      FOR EACH STATEMENT EXECUTE FUNCTION count_api_key_change()
  `);
}
