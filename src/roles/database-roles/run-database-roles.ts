import type { Config } from '../../config/config.js';
import { makeDatabaseRoles } from '../../database/roles/database-roles.js';

/** Makes the three roles of PostgreSQL; gives the exit status. */
export async function runDatabaseRoles({ database: { adminUrl, ownerUrl, url, readerUrl } }: Config): Promise<number> {
  const roles = {
    admin: new URL(adminUrl ?? ownerUrl),
    owner: new URL(ownerUrl),
    application: new URL(url),
    reader: readerUrl === undefined ? undefined : new URL(readerUrl),
  };
  await makeDatabaseRoles(roles, (line) => process.stdout.write(`${line}\n`));
  return 0;
}
