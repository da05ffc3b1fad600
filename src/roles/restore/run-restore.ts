import { isatty } from 'node:tty';
import { restore } from '../../backup/restore.js';
import type { Config } from '../../config/config.js';

const STDIN = 0;

/** Restores a backup from the standard input; gives the exit status. */
export async function runRestore(config: Config): Promise<number> {
  if (isatty(STDIN)) throw new Error('Give it a backup: npm run restore < orders.backup');
  await restore(config, process.stdin, (line) => process.stderr.write(`${line}\n`));
  return 0;
}
