import { createWriteStream, fstatSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { backUp } from '../../backup/back-up.js';
import type { Config } from '../../config/config.js';

const STDOUT = 1;

/** Writes a backup to the standard output; gives the exit status. */
export async function runBackup(config: Config): Promise<number> {
  if (isatty(STDOUT)) throw new Error('Send the backup somewhere: npm run --silent backup > orders.backup');
  await backUp(config.database.url, openOutput(), (line) => process.stderr.write(`${line}\n`));
  return 0;
}

/**
 * A stream to the standard output that reports a full disk. `process.stdout` takes a partial write to a file for a whole one, so
 * a file gets a stream of its own; of a pipe only `process.stdout` knows when it is full.
 */
function openOutput(): Writable {
  if (fstatSync(STDOUT).isFile()) return createWriteStream('', { fd: STDOUT });
  process.stdout.on('error', () => undefined); // The callback of the write gets it.
  return new Writable({ write: (chunk: Buffer, _encoding, done) => void process.stdout.write(chunk, done) });
}
