import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { KINDS, scheduleOf } from '../simulator/faults.js';

const MAIN = path.resolve(import.meta.dirname, '../simulator/main.ts');
/** What was confirmed is not there any more, or is as it was before; or another has come to have its id, or its state. */
const GONE = new RegExp(
  [
    'is not there',
    'answered 404',
    'otherwise than the first time',
    'was done again',
    'Order \\d+ was \\w+, and then',
    'was answered \\d+, and it is',
    'was given the order of somebody else',
    'has written over a change',
  ].join('|'),
);

describe('the simulator of clients under faults', () => {
  const children: ChildProcess[] = [];

  /** When a test took too long; it ends what it has started. */
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGTERM')));

  const simulate = async (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, '--busy', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const chunks: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, said: chunks.join('') };
  };
  const firstSteps = (seed: number, count: number) => {
    const schedule = scheduleOf(seed);
    return Array.from({ length: count }, () => schedule.next().value);
  };

  it('makes the same faults for the same seed, and each of them in each round', () => {
    expect(firstSteps(7, 100)).toEqual(firstSteps(7, 100));
    expect(firstSteps(8, 100)).not.toEqual(firstSteps(7, 100));
    const faults = firstSteps(7, 100).flatMap(({ round, step }) =>
      round <= 2 ? step.faults.map(({ fault }) => fault) : [],
    );
    expect([faults.length, new Set(faults.slice(0, KINDS)).size, new Set(faults).size]).toEqual([
      2 * KINDS,
      KINDS,
      KINDS,
    ]);
  });

  it('finds every promise kept while each fault happens once', async () => {
    const { code, said } = await simulate('--seed', '1');
    expect([code, said]).toEqual([0, expect.stringContaining('✓ all of it was true')]);
  }, 300_000);

  it('finds a check outside the lock', async () => {
    const { code, said } = await simulate('--seed', '1', '--bug', 'check-outside-the-lock');
    expect([code, said]).toEqual([1, expect.stringContaining('LEDGER_BROKEN')]);
  }, 120_000);

  it('finds commits that are answered before they are on disk, at a crash of PostgreSQL', async () => {
    const options = ['--seed', '1', '--minutes', '3', '--fault', 'kill -9 PostgreSQL'];
    const { code, said } = await simulate(...options, '--bug', 'answer-before-the-flush');
    expect([code, said]).toEqual([1, expect.stringMatching(GONE)]);
  }, 240_000);

  it.each([['--seed', 'x'], ['--minutes=-1'], ['--bug', 'none'], ['--fault', 'none']])(
    'refuses %s',
    async (...args) => {
      expect((await simulate(...args)).code).toBe(2);
    },
  );
});
