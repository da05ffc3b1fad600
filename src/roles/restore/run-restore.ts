import { isatty } from 'node:tty';
import { restore } from '../../backup/restore.js';
import { commandActor } from '../command-actor.js';
import type { Config } from '../../config/config.js';

const STDIN = 0;

/** Restores a backup from the standard input; gives the exit status. */
export async function runRestore(config: Config): Promise<number> {
  if (isatty(STDIN)) throw new Error('Give it a backup: npm run restore < orders.backup');
  const report = (line: string) => process.stderr.write(`${line}\n`);
  await restore(config, process.stdin, { actor: commandActor(), report });
  return 0;
}
