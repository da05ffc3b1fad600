import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../../tools/processes.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { eventually } from './eventually.js';
import { BASE_ENVIRONMENT } from './base-environment.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Everything that `npm start` brings up, with data and ports of its own. */
export interface LocalSystem {
  /** Of its data. */
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  /** Its variables for commands, by their names. */
  readonly variables: () => Record<string, string>;
  /** The newest process of a part: `api`, `worker`, `Redis`. */
  readonly pidOf: (name: string) => number;
  readonly output: () => string;
  readonly stop: () => Promise<void>;
}

export async function startLocalSystem(variables: Record<string, string> = {}): Promise<LocalSystem> {
  const folder = await createTemporaryFolder('local-system');
  const port = await freePort();
  const env = { DATA_DIR: folder, PORT: String(port), DASHBOARD_PORT: String(await freePort()), ...variables };
  const system: ChildProcess = spawn(process.execPath, ['tools/start.ts'], {
    cwd: ROOT,
    env: { ...BASE_ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [system.stdout, system.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise((resolve) => system.once('close', resolve));
  const stop = async () => {
    system.kill('SIGINT');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  await eventually(() => expect(output).toContain('Ctrl-C ends it all'), 90_000).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const read = (file: string) => readFileSync(path.join(folder, file), 'utf8');
  return {
    folder,
    port,
    url: `http://127.0.0.1:${port}`,
    variables: () =>
      Object.fromEntries([...read('environment').matchAll(/^(\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value])),
    pidOf: (name) => {
      const processes: { name: string; pid: number }[] = JSON.parse(read('run.json'));
      return processes.findLast((each) => each.name === name)?.pid ?? 0;
    },
    output: () => output,
    stop,
  };
}
