import { createWriteStream } from 'node:fs';
import { isatty } from 'node:tty';
import { backUp } from './backup/back-up.js';
import { restore } from './backup/restore.js';
import type { Config } from './config/config.js';

const STDIN = 0;
const STDOUT = 1;

/** Writes a backup to the standard output. */
export async function runBackup(config: Config): Promise<number> {
  if (isatty(STDOUT)) throw new Error('Send the backup somewhere: npm run --silent backup > orders.backup');
  // Not process.stdout, which takes a part of a file for the whole when the disk is full.
  await backUp(config.database.url, createWriteStream('', { fd: STDOUT }), say);
  return 0;
}

/** Restores a backup from the standard input. */
export async function runRestore(config: Config): Promise<number> {
  if (isatty(STDIN)) throw new Error('Give it a backup: npm run restore < orders.backup');
  await restore(config, process.stdin, say);
  return 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
