import '../runtime/node-version.js';
import { fileURLToPath } from 'node:url';
import { DataSource } from 'typeorm';
import { EnvironmentReader } from '../config/environment-reader.js';
import { connectionOptions } from './data-source-options.js';
import { patientMigrations } from './patient-migrations.js';

const reader = new EnvironmentReader(process.env);
const url = reader.url('DATABASE_URL', ['postgres:', 'postgresql:']);
if (reader.problems.length > 0) throw new Error(reader.problems.join('\n'));

/** The data source of TypeORM's CLI (`-d dist/src/database/data-source.js`). A migration takes as long as it takes. */
export default new DataSource({
  ...connectionOptions(url),
  entities: [fileURLToPath(new URL('../**/*.entity.js', import.meta.url))],
  migrations: await patientMigrations(new URL('../../migrations/', import.meta.url)),
  migrationsTransactionMode: 'each',
});
