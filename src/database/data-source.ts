import '../runtime/node-version.js';
import { fileURLToPath } from 'node:url';
import { DataSource } from 'typeorm';
import { EnvironmentReader } from '../config/environment-reader.js';
import { connectionOptions } from './data-source-options.js';
import { patientMigrations } from './patient-migrations.js';

const POSTGRES = ['postgres:', 'postgresql:'];
const reader = new EnvironmentReader(process.env);
const ownerUrl = reader.optionalUrl('DATABASE_OWNER_URL', POSTGRES);
const applicationUrl = ownerUrl === undefined ? undefined : reader.optionalUrl('DATABASE_URL', POSTGRES);
const url = ownerUrl ?? reader.url('DATABASE_URL', POSTGRES);
if (reader.problems.length > 0) throw new Error(reader.problems.join('\n'));

/** The role that gets its privileges after each migration; `undefined` where one role does everything. */
const application =
  applicationUrl === undefined || userOf(applicationUrl) === userOf(url) ? undefined : userOf(applicationUrl);

/** The data source of TypeORM's CLI (`-d dist/src/database/data-source.js`). A migration takes as long as it takes. */
export default new DataSource({
  ...connectionOptions(url),
  entities: [fileURLToPath(new URL('../**/*.entity.js', import.meta.url))],
  migrations: await patientMigrations(new URL('../../migrations/', import.meta.url), application),
  migrationsTransactionMode: 'each',
});

function userOf(postgresUrl: string): string {
  return decodeURIComponent(new URL(postgresUrl).username);
}
