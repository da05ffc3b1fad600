import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { connectionOptions } from '../data-source-options.js';
import { runPatiently } from '../patient-migrations.js';
import { grantOn, grantPrivileges } from './privileges.js';

/** What each URL leads to is the role that it names, with its password. All are of one database. */
export interface DatabaseRoles {
  /** May create roles, and owns what is there; a superuser, for instance. No process of the system needs it. */
  readonly admin: URL;
  /** Owns the database and what is in it: for migrations, restore and repair. */
  readonly owner: URL;
  /** For the API, the worker, and all other commands. */
  readonly application: URL;
  /** Reads, and changes nothing. */
  readonly reader: URL | undefined;
}

const MIGHTY = ['rolsuper', 'rolcreaterole', 'rolcreatedb', 'rolreplication', 'rolbypassrls'];
/** PostgreSQL's own. */
const SCRAM_ITERATIONS = 4_096;

/**
 * Makes the roles that the URLs name, or gives those that are there the passwords; hands the database and all that is in it to the owner,
 * also where another role has owned it; and gives the others their privileges. Does no harm when it is run again.
 *
 * @throws Error when the URLs do not name different roles, or one of them may already do more than it should.
 */
export async function makeDatabaseRoles(urls: DatabaseRoles, report: (line: string) => void): Promise<void> {
  const { admin, owner, application, reader } = namesOf(urls);
  const dataSource = await new DataSource(connectionOptions(urls.admin.href)).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    for (const url of [urls.owner, urls.application, urls.reader]) {
      if (url !== undefined && userOf(url) !== admin) await makeRole(runner, url, url === urls.owner);
    }
    await runPatiently(runner, async (patient) => {
      await handOver(patient, { admin, owner, application, connects: connectGrants(urls.application) });
      report(`${owner} owns the database: for migrations, restore and repair`);
      // The owner sees by it which sessions of the application a migration waits for.
      if (owner !== admin) await patient.query(`GRANT ${escapeIdentifier(application)} TO ${escapeIdentifier(owner)}`);
      await grantPrivileges(patient, application);
      report(`${application} reads and writes: for the API, the worker and the commands`);
      if (urls.application.password !== '' && urls.application.password === urls.admin.password) {
        report(`WARNING: ${application} has the password of ${admin}, who may do everything: give it one of its own`);
      }
      if (urls.reader === undefined || reader === undefined) return;
      await patient.query(`${connectGrants(urls.reader)}; ${readerGrants(reader, owner)}`);
      report(`${reader} reads`);
    });
  } finally {
    await dataSource.destroy();
  }
}

function namesOf({ admin, owner, application, reader }: DatabaseRoles) {
  const names = {
    admin: userOf(admin),
    owner: userOf(owner),
    application: userOf(application),
    reader: reader && userOf(reader),
  };
  const databases = [admin, owner, application, reader].flatMap((url) => (url === undefined ? [] : url.pathname));
  if (new Set(databases).size > 1)
    throw new Error(`The URLs must lead to one database, not to ${databases.join(', ')}`);
  const others = [names.owner, names.application, ...(names.reader === undefined ? [] : [names.reader])];
  if (others.includes('')) throw new Error('Each URL must name its role: postgres://role:password@host:5432/database');
  if (new Set(others).size < others.length || names.admin === names.application || names.admin === names.reader) {
    throw new Error(
      'DATABASE_OWNER_URL, DATABASE_URL and DATABASE_READER_URL must name different roles, the last two others than DATABASE_ADMIN_URL',
    );
  }
  return names;
}

function userOf(url: URL): string {
  return decodeURIComponent(url.username);
}

/** @param isOwner who may be a member of other roles: of the application's, for instance. */
async function makeRole(runner: QueryRunner, url: URL, isOwner: boolean): Promise<void> {
  const name = userOf(url);
  const [role] = await runner.manager.query<Record<string, boolean>[]>(
    `SELECT ${MIGHTY.join(', ')} FROM pg_roles WHERE rolname = $1`,
    [name],
  );
  const { length: memberships } = await runner.manager.query<unknown[]>(
    'SELECT FROM pg_auth_members JOIN pg_roles ON pg_roles.oid = member WHERE rolname = $1 AND NOT $2::boolean',
    [name, isOwner],
  );
  if (memberships > 0 || (role !== undefined && Object.values(role).some(Boolean))) {
    throw new Error(
      `The role ${name} is there and may do more than it should (\\du in psql shows what): name another one`,
    );
  }
  const password = url.password === '' ? '' : `PASSWORD ${escapeLiteral(verifierOf(decodeURIComponent(url.password)))}`;
  await runner.query(`${role === undefined ? 'CREATE' : 'ALTER'} ROLE ${escapeIdentifier(name)} LOGIN ${password}`);
}

/** What PostgreSQL keeps of a password (RFC 5803), worked out here: the password itself stands in no statement that a server may log. */
function verifierOf(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, SCRAM_ITERATIONS, 32, 'sha256');
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest();
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${storedKey}:${keyOf('Server Key').toString('base64')}`;
}

/** The database, and what is in it but for what belongs to an extension. An application that has owned a table goes on using it. */
async function handOver(
  runner: QueryRunner,
  { admin, owner, application, connects }: { admin: string; owner: string; application: string; connects: string },
): Promise<void> {
  const role = escapeIdentifier(owner);
  const [user] = await runner.manager.query<[{ rolsuper: boolean }]>(
    'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
  );
  // One that is no superuser can only hand over to a role that it could be itself.
  if (!user.rolsuper && admin !== owner)
    await runner.query(`GRANT ${role} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE`);
  const things = await runner.manager.query<{ thing: string; table: string | null }[]>(
    `SELECT format('DATABASE %I', datname) AS thing, NULL AS table FROM pg_database
     WHERE datname = current_database() AND datdba <> $1::regrole
     UNION ALL
     SELECT format('TABLE public.%I', relname), relname FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relowner <> $1::regrole
     UNION ALL
     SELECT format('ROUTINE %s', pg_proc.oid::regprocedure), NULL FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND proowner <> $1::regrole AND NOT EXISTS (
       SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')`,
    [role],
  );
  await runner.query(connects);
  for (const { thing, table } of things) {
    await runner.query(`ALTER ${thing} OWNER TO ${role}; ${table === null ? '' : grantOn(table, application)}`);
  }
  await runner.query(`REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO ${role}`);
}

function connectGrants(url: URL): string {
  const role = escapeIdentifier(userOf(url));
  const database = escapeIdentifier(decodeURIComponent(url.pathname.slice(1)));
  return `
    REVOKE ALL ON DATABASE ${database} FROM ${role}; GRANT CONNECT ON DATABASE ${database} TO ${role};
    REVOKE ALL ON SCHEMA public FROM ${role}; GRANT USAGE ON SCHEMA public TO ${role}`;
}

/** Of later tables as well. */
function readerGrants(reader: string, owner: string): string {
  const role = escapeIdentifier(reader);
  return `
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role};
    GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${escapeIdentifier(owner)} IN SCHEMA public GRANT SELECT ON TABLES TO ${role};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${escapeIdentifier(owner)} IN SCHEMA public GRANT SELECT ON SEQUENCES TO ${role}`;
}
