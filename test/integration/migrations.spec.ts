import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/services.js';

const execute = promisify(execFile);

describe('the migrations', () => {
  let database: TestDatabase;
  let sql: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
  });

  afterAll(async () => {
    await sql.end();
    await database.drop();
  });

  const typeorm = async (...args: string[]) => {
    const env = { ...process.env, DATABASE_URL: database.url };
    const command = ['node_modules/typeorm/cli.js', ...args, '-d', 'dist/src/database/data-source.js'];
    return (await execute(process.execPath, command, { env })).stdout;
  };
  const query = async (text: string) => (await sql.query<{ name: string }>(text)).rows.map(({ name }) => name);
  const schema = () =>
    query(`
      SELECT format('%s %s', relkind, relname) AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relname !~ '^(migrations|PK_)'
      UNION ALL SELECT format('constraint %s', conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 'migrations'::regclass
      UNION ALL SELECT format('trigger %s', tgname) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT format('function %s', proname) FROM pg_proc WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
      ORDER BY name`);

  it('agree with the entities', async () => {
    await expect(typeorm('migration:generate', '--check', '--dryrun', 'migrations/drift')).resolves.toContain(
      'No changes',
    );
  }, 60_000);

  it('go down to nothing, and up to the same again', async () => {
    const before = await schema();
    expect(before).toContain('r orders');
    const steps = await query('SELECT name FROM migrations');
    for (let step = 0; step < steps.length; step++) await typeorm('migration:revert');
    expect(await schema()).toEqual([]);
    await typeorm('migration:run');
    expect(await schema()).toEqual(before);
  }, 60_000);

  it('name every constraint and index after its table', async () => {
    const names = await query(`
      SELECT conrelid::regclass || ' ' || conname AS name FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 'migrations'::regclass`);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(name).toMatch(/^(\w+) \1_\w+$/);
  });
});
