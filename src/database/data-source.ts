import '../runtime/node-version.js';
import { fileURLToPath } from 'node:url';
import { DataSource } from 'typeorm';
import { connectionOptions } from './data-source-options.js';
import { patientMigrations } from './patient-migrations.js';

const url = process.env.DATABASE_URL;
if (!url) throw new Error('DATABASE_URL is missing: set it to the postgres:// URL of the database to migrate');

/** The data source of TypeORM's CLI (`-d dist/src/database/data-source.js`). A migration takes as long as it takes. */
export default new DataSource({
  ...connectionOptions(url),
  entities: [fileURLToPath(new URL('../**/*.entity.js', import.meta.url))],
  migrations: await patientMigrations(new URL('../../migrations/', import.meta.url)),
  migrationsTransactionMode: 'each',
});
