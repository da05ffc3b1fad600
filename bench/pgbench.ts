/** The textbook transaction in C: pgbench with prepared statements, on the same PostgreSQL. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const SCRIPT = path.join(import.meta.dirname, 'textbook.sql');

/** Transactions a second of `clients` that buy from `products` products at random. */
export async function pgbench(
  databaseUrl: string,
  options: { clients: number; products: number; seconds: number },
): Promise<number> {
  const { clients, products, seconds } = options;
  const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-T', String(seconds)];
  const { stdout } = await execute('pgbench', [...args, '-D', `products=${products}`, '-f', SCRIPT, databaseUrl], {
    timeout: (seconds + 30) * 1_000,
  });
  const rate = /tps = ([\d.]+)/.exec(stdout)?.[1];
  if (rate === undefined) throw new Error(`pgbench printed no rate:\n${stdout}`);
  return Number(rate);
}
