import { randomUUID } from 'node:crypto';
import pg from 'pg';

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is missing: run the tests with "npm test", which brings up what they need`);
  return value;
}

const template = new URL(required('TEST_TEMPLATE_URL'));
/** Of the role that may only do what the application has to. */
const application = new URL(required('TEST_APPLICATION_URL'));
const worker = Number(process.env.JEST_WORKER_ID ?? 1);

export interface TestDatabase {
  /** Of its owner, a superuser. */
  url: string;
  /** Of the role of the application. */
  applicationUrl: string;
  drop: () => Promise<void>;
}

/** A database of its own, cloned from the migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `${template.pathname.slice(1)}_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template.pathname.slice(1)}`);
  const urlOf = (role: URL) => Object.assign(new URL(role), { pathname: `/${name}` }).href;
  return {
    url: urlOf(template),
    applicationUrl: urlOf(application),
    drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** The Redis databases of this Jest worker: test files of one worker run one after the other. */
export function redisUrls(): { REDIS_URL: string; QUEUE_REDIS_URL: string } {
  const server = required('TEST_REDIS_URL');
  const database = (index: number) => Object.assign(new URL(server), { pathname: `/${2 * worker + index}` }).href;
  return { REDIS_URL: database(0), QUEUE_REDIS_URL: database(1) };
}

/** Runs a statement as a superuser, outside of any database of a test. */
export async function administer(statement: string): Promise<void> {
  const url = new URL(template);
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
