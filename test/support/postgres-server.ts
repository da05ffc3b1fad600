import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { MIGRATE } from '../../tools/commands.ts';
import { startPostgres } from '../../tools/postgres.ts';
import { endProcess, isAlive, freePort } from '../../tools/processes.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';

const execute = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
const STOP_TIMEOUT_MS = 10_000;

export interface OwnPostgres {
  directory: string;
  /** The folder of its data. */
  data: string;
  /** The same after a restart. */
  url: string;
  isAlive: () => boolean;
  freeze: () => Promise<void>;
  thaw: () => void;
  /** `SIGKILL` as a crash does, `SIGINT` for a fast shutdown. */
  end: (signal: 'SIGKILL' | 'SIGINT') => Promise<void>;
  /** On the same port, with what is on its disk. */
  restart: () => Promise<void>;
  stop: () => Promise<void>;
}

/** A migrated PostgreSQL of the test's own, to be frozen, killed and filled, set as in production. */
export async function startOwnPostgres(
  options: { directory?: string; settings?: Record<string, string> } = {},
): Promise<OwnPostgres> {
  const directory = options.directory ?? (await createTemporaryFolder('postgres'));
  const settings = { fsync: 'on', ...options.settings };
  // Not the port that it prefers: while it is down, the PostgreSQL of another suite would take that.
  const port = await freePort();
  let server = await startPostgres({ directory, port, settings });
  const { url } = server;
  let frozen: number[] = [];
  const thaw = () => frozen.splice(0).forEach((pid) => signal(pid, 'SIGCONT'));
  const stop = async () => {
    thaw();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  await execute(process.execPath, MIGRATE, { cwd: ROOT, env: { ...process.env, DATABASE_URL: url } }).catch(
    async (error: unknown) => {
      await stop();
      throw error;
    },
  );
  return {
    directory,
    data: server.data,
    url,
    isAlive: () => isAlive(server.pid),
    freeze: async () => {
      // It lets nobody in from here on: who came after the others were listed would not be frozen.
      frozen = [server.pid];
      signal(server.pid, 'SIGSTOP');
      const { stdout } = await execute('pgrep', ['-P', String(server.pid)]);
      frozen = [...stdout.trim().split('\n').map(Number), server.pid];
      for (const pid of frozen) signal(pid, 'SIGSTOP');
    },
    thaw,
    end: (name) => endProcess(server.pid, name, STOP_TIMEOUT_MS),
    restart: async () => {
      server = await startPostgres({ directory, port, settings });
    },
    stop,
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  if (isAlive(pid)) process.kill(pid, name);
}
