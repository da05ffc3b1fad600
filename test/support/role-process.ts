import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

const MAIN = path.resolve(import.meta.dirname, '../../dist/src/main.js');

/** A process of the build, as production runs it. */
export interface RoleProcess {
  /** Everything it has logged so far. */
  log: () => string;
  /** Sends a signal and waits for the end; gives the exit status, or the signal's name. */
  end: (signal: NodeJS.Signals) => Promise<number | string | null>;
}

export function startRole(flags: readonly string[], variables: Record<string, string>): RoleProcess {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...flags], {
    env: { PATH: process.env.PATH, ...variables, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  );
  return {
    log: () => chunks.join(''),
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
