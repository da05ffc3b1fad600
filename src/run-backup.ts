import { backUp } from './backup/back-up.js';
import { restore } from './backup/restore.js';
import type { Config } from './config/config.js';

/** Writes a backup to the standard output. */
export async function runBackup(config: Config): Promise<number> {
  if (process.stdout.isTTY) throw new Error('Send the backup somewhere: npm run --silent backup > orders.backup');
  await backUp(config.database.url, process.stdout, say);
  return 0;
}

/** Restores a backup from the standard input. */
export async function runRestore(config: Config): Promise<number> {
  if (process.stdin.isTTY) throw new Error('Give it a backup: npm run restore < orders.backup');
  await restore(config, process.stdin, say);
  return 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
