import { fileURLToPath } from 'node:url';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source-options.js';

/** Building an index on a large table takes longer than any request may. */
const MIGRATION_TIMEOUT_MS = 3_600_000;

const url = process.env.DATABASE_URL;
if (!url) throw new Error('DATABASE_URL is missing: set it to the postgres:// URL of the database to migrate');

/** The data source of TypeORM's CLI (`-d dist/src/database/data-source.js`). */
export default new DataSource({
  ...dataSourceOptions({
    url,
    poolSize: 1,
    lockTimeoutMs: MIGRATION_TIMEOUT_MS,
    statementTimeoutMs: MIGRATION_TIMEOUT_MS,
    transactionTimeoutMs: MIGRATION_TIMEOUT_MS,
  }),
  entities: [fileURLToPath(new URL('../**/*.entity.js', import.meta.url))],
  migrations: [fileURLToPath(new URL('../../migrations/*.js', import.meta.url))],
  migrationsTransactionMode: 'each',
});
