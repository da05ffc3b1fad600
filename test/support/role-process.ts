import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { LIMITS } from '../../src/config/limits.js';
import { eventually } from './eventually.js';
import { BASE_ENVIRONMENT } from './base-environment.js';

const MAIN = path.resolve(import.meta.dirname, '../../dist/src/main.js');
const SET_LIMITS = path.resolve(import.meta.dirname, 'relaxed-process.ts');
const START_TIMEOUT_MS = 60_000;

/** A process of the build, as production runs it, but for its limits: it has those of the test. */
export interface RoleProcess {
  readonly pid: number;
  /** Everything it has logged so far. */
  log: () => string;
  /** Where an API or a dashboard listens, as soon as it does. */
  url: () => Promise<string>;
  /** Sends a signal and waits for the end; gives the exit status, or the signal's name. */
  end: (signal: NodeJS.Signals) => Promise<number | string | null>;
}

/** With `preload`, modules that are loaded before the entry. Lines are JSON, of the level `info` unless given. */
export function startRole(
  flags: readonly string[],
  variables: Record<string, string>,
  { preload = [], logLevel = 'info' }: { preload?: readonly string[]; logLevel?: 'info' | 'debug' } = {},
): RoleProcess {
  const imports = [SET_LIMITS, ...preload].flatMap((file) => ['--import', file]);
  const child: ChildProcess = spawn(process.execPath, [...imports, MAIN, ...flags], {
    env: {
      ...BASE_ENVIRONMENT,
      PORT: '0',
      METRICS_PORT: 'off',
      LOG_FORMAT: 'json',
      ...variables,
      LOG_LEVEL: logLevel,
      TEST_LIMITS: JSON.stringify(LIMITS),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  );
  const log = () => chunks.join('');
  return {
    pid: child.pid ?? 0,
    log,
    url: async () => {
      let found: string | undefined;
      await eventually(() => {
        found = /"url":"(http[^"]+)","message":"The \w+ is up"/.exec(log())?.[1];
        if (found === undefined) throw new Error(`It is not up: ${log()}`);
      }, START_TIMEOUT_MS);
      return found ?? '';
    },
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
