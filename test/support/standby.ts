import { execFile } from 'node:child_process';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../../tools/postgres.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { eventually } from './eventually.js';
import type { OwnPostgres } from './postgres-server.js';

const execute = promisify(execFile);
const NAME = 'standby';

export interface Standby {
  url: string;
  /** Makes it a server that writes, with a timeline of its own. */
  promote: () => Promise<void>;
  stop: () => Promise<void>;
}

/** A hot standby of a server, which streams its log through `port` and confirms each commit before it is acknowledged. */
export async function startStandby(primary: OwnPostgres, port: number): Promise<Standby> {
  const directory = await createTemporaryFolder('standby');
  const data = path.join(directory, 'data');
  const sql = new pg.Client({ connectionString: primary.url });
  sql.on('error', () => undefined);
  await sql.connect();
  await sql.query(`SELECT pg_backup_start('standby', true)`);
  await execute('cp', ['-a', primary.data, data]);
  const { rows } = await sql.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
  await rm(path.join(data, 'postmaster.pid'));
  await copyFile(path.join(primary.directory, 'password'), path.join(directory, 'password'));
  for (const [file, text] of [
    ['backup_label', rows[0]?.labelfile ?? ''],
    ['standby.signal', ''],
  ] as const) {
    await writeFile(path.join(data, file), text);
    await execute('chown', ['--reference', data, path.join(data, file)]);
  }
  const { username, password } = new URL(primary.url);
  const conninfo = `host=127.0.0.1 port=${port} user=${username} password=${password} application_name=${NAME}`;
  const server = await startPostgres({ directory, settings: { primary_conninfo: conninfo } });
  await sql.query(`ALTER SYSTEM SET synchronous_standby_names = '${NAME}'`);
  await sql.query('SELECT pg_reload_conf()');
  await eventually(async () => {
    const { rows: standbys } = await sql.query('SELECT sync_state FROM pg_stat_replication');
    expect(standbys).toEqual([{ sync_state: 'sync' }]);
  });
  await sql.end();
  return {
    url: server.url,
    promote: async () => {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      // What it was set to, it has from the old primary: it waits for no standby of its own.
      await client.query('SELECT pg_promote(true, 60)');
      await client.query('ALTER SYSTEM RESET synchronous_standby_names');
      await client.query('SELECT pg_reload_conf()');
      await client.end();
    },
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
