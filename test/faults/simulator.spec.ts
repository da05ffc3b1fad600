import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { KINDS, scheduleOf } from '../simulator/faults.js';

const MAIN = path.resolve(import.meta.dirname, '../simulator/main.ts');

describe('the simulator of clients under faults', () => {
  const children: ChildProcess[] = [];

  /** When a test took too long; it ends what it has started. */
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGTERM')));

  const simulate = async (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
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

  it('finds a check outside the lock within a minute', async () => {
    const { code, said } = await simulate('--seed', '1', '--bug', 'check-outside-the-lock');
    expect([code, said]).toEqual([1, expect.stringContaining('LEDGER_BROKEN')]);
    const [seconds = 'NaN'] = said.trim().split('\n').at(-1)?.trim().split(' ') ?? [];
    expect(Number(seconds)).toBeLessThan(60);
  }, 120_000);

  it.each([['--seed', 'x'], ['--minutes=-1'], ['--bug', 'none']])('refuses %s', async (...args) => {
    expect((await simulate(...args)).code).toBe(2);
  });
});
