import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { type LocalSystem, startLocalSystem } from '../support/local-system.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const execute = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');

/** The blocks for a shell below a heading of a document, or in all of it. */
function blocksOf(document: string, heading?: string): string[] {
  const text = readFileSync(path.join(ROOT, document), 'utf8');
  const section = heading === undefined ? text : (text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '');
  return [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
}

describe('what the documents say, pasted', () => {
  let folder: string;
  let system: LocalSystem;

  beforeAll(async () => {
    folder = await createTemporaryFolder('documents');
    system = await startLocalSystem();
  }, 120_000);

  afterAll(async () => {
    await system.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  /** As a newcomer pastes it, but for the port and the file of the backup. */
  const paste = async (block: string, env: Record<string, string> = {}) => {
    const text = block
      .replaceAll('8000', String(system.port))
      .replaceAll('orders.backup', path.join(folder, 'orders.backup'));
    const running = execute('bash', ['-e', '-c', text], {
      cwd: ROOT,
      env: { ...BASE_ENVIRONMENT, HOME: folder, DATA_DIR: system.folder, PORT: String(system.port), ...env },
    });
    const { stdout } = await running.catch((error: unknown) => {
      const said = typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : '';
      throw new Error(`${String(error)}\n${said}`, { cause: error });
    });
    return stdout;
  };

  it('works in "Try it" of the README, block after block', async () => {
    const said = [];
    for (const block of blocksOf('README.md', 'Try it')) said.push(await paste(block));
    const all = said.join('\n');
    expect(said.length).toBeGreaterThan(5);
    expect(all).toContain('"status":"completed"');
    expect(all).toMatch(/\d+ products created/);
    expect(all.match(/-> 201/g)).toHaveLength(1);
    expect(all.match(/Insufficient stock\. Available: 0, Requested: 1/g)).toHaveLength(4);
    expect(all.match(/Idempotent-Replayed/gi)).toHaveLength(1);
    expect(all).toContain('"kind":"hold"');
    // Nothing is refused but the four buyers who came too late.
    expect(all.match(/"type":"about:blank"/g)).toHaveLength(4);
  }, 120_000);

  it('lets nobody in from elsewhere but with a key, as "Lock it" of the README shows', async () => {
    const [block = ''] = blocksOf('README.md', 'Lock it');
    const [refused = '', allowed = ''] = (await paste(block)).split('}{');
    expect(refused).toContain('"code":"UNAUTHENTICATED"');
    expect(allowed).toContain('"name":"admin","role":"admin"');
  }, 30_000);

  it('shows in npm run demo that a flash sale oversells nothing and loses nothing, also when the worker is killed', async () => {
    for (const flags of ['', ' -- --kill-worker']) {
      const said = await paste(`npm run demo${flags}`);
      expect(said).toContain('100 sold, 400 refused, 0 oversold, audit clean');
      expect(said).toContain('100 of 100 orders completed, none lost');
      expect(said.includes('The worker was killed in the middle')).toBe(flags !== '');
    }
  }, 150_000);

  it('works in docs/operations.md, beside npm start', async () => {
    const blocks = blocksOf('docs/operations.md').filter((block) => /^(npm|curl)/.test(block) && !block.includes('…'));
    expect(blocks.length).toBeGreaterThanOrEqual(5);
    const said = [];
    // The block of the repair asks, and nobody answers: its own test follows it to the end.
    for (const block of blocks) said.push(await paste(block.replace(/^.*--repair.*\n/gm, '')));
    expect(said.join('\n')).toContain('all agree');
    expect(said.join('\n')).toContain('There are no dead letters');
    expect(said.join('\n')).toContain('There are no parked events');
    expect((await readFile(path.join(folder, 'orders.backup'))).length).toBeGreaterThan(500);
  }, 120_000);

  it('touches no other project of docker compose, and can be pasted again', async () => {
    const programs = path.join(folder, 'programs');
    const log = path.join(folder, 'docker.log');
    await mkdir(programs);
    await writeFile(path.join(programs, 'docker'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n`);
    await chmod(path.join(programs, 'docker'), 0o755);
    const [restore = ''] = blocksOf('docs/operations.md').filter((block) => block.startsWith('docker compose stop'));
    for (let time = 0; time < 2; time++) await paste(restore, { PATH: `${programs}:${process.env.PATH}` });
    const calls = (await readFile(log, 'utf8')).trim().split('\n');
    expect(calls).toHaveLength(14);
    for (const call of calls) expect(call).toMatch(/^compose (stop|run|up) /);
  });
});
