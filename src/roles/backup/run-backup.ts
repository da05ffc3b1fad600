import { createWriteStream, fstatSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { backUp } from '../../backup/back-up.js';
import { restore } from '../../backup/restore.js';
import type { Config } from '../../config/config.js';

const STDIN = 0;
const STDOUT = 1;

/** Writes a backup to the standard output. */
export async function runBackup(config: Config): Promise<number> {
  if (isatty(STDOUT)) throw new Error('Send the backup somewhere: npm run --silent backup > orders.backup');
  await backUp(config.database.url, openOutput(), say);
  return 0;
}

/** Restores a backup from the standard input. */
export async function runRestore(config: Config): Promise<number> {
  if (isatty(STDIN)) throw new Error('Give it a backup: npm run restore < orders.backup');
  await restore(config, process.stdin, say);
  return 0;
}

/** Of a file process.stdout takes a part for the whole when its disk is full; of a pipe nobody else knows when it is full. */
function openOutput(): Writable {
  if (fstatSync(STDOUT).isFile()) return createWriteStream('', { fd: STDOUT });
  process.stdout.on('error', () => undefined); // told to who wrote
  return new Writable({ write: (chunk: Buffer, _encoding, done) => void process.stdout.write(chunk, done) });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
