/** The textbook transaction in C: pgbench with prepared statements, on the same PostgreSQL. */
import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { createTemporaryFolder } from '../tools/temporary-folder.ts';
import type { Measured } from './load.ts';

const execute = promisify(execFile);
const SCRIPT = path.join(import.meta.dirname, 'textbook.sql');

export interface PgbenchOptions {
  databaseUrl: string;
  clients: number;
  /** How many products are bought from, at random. */
  products: number;
  seconds: number;
}

/** Runs the transaction without a pause; one transaction counts as one request. */
export async function pgbench({ databaseUrl, clients, products, seconds }: PgbenchOptions): Promise<Measured> {
  const directory = await createTemporaryFolder('pgbench');
  try {
    const args = ['--no-vacuum', '--protocol=prepared', `--client=${clients}`, '--jobs=1', `--time=${seconds}`];
    const logs = ['--log', `--log-prefix=${path.join(directory, 'log')}`];
    const { stdout } = await execute(
      'pgbench',
      [...args, ...logs, `--define=products=${products}`, `--file=${SCRIPT}`, databaseUrl],
      { timeout: (seconds + 30) * 1_000 },
    );
    const rate = Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
    const latencies = await latenciesIn(directory);
    const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? NaN;
    return { rate, p50: at(0.5), p99: at(0.99), requests: latencies.length, refused: 0, broken: 0 };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** In milliseconds, ascending. A line of the log is: client, transaction, microseconds, … */
async function latenciesIn(directory: string): Promise<number[]> {
  const files = await readdir(directory);
  const texts = await Promise.all(files.map((file) => readFile(path.join(directory, file), 'utf8')));
  return texts
    .flatMap((text) => text.trim().split('\n'))
    .map((line) => Number(line.split(' ')[2]) / 1_000)
    .sort((a, b) => a - b);
}
