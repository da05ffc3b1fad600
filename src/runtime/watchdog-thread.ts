import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

interface Watch {
  /** How often the event loop has turned, and whether a debugger is attached. */
  readonly beats: Int32Array;
  readonly beatMs: number;
  readonly limitMs: number;
}

// eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- what watchdog.ts passes; Node.js has no type for it
const { beats, beatMs, limitMs } = workerData as Watch;
let last = 0;
let missed = 0;

setInterval(() => {
  const now = Atomics.load(beats, 0);
  missed = now === last && Atomics.load(beats, 1) === 0 ? missed + 1 : 0;
  last = now;
  if (missed * beatMs < limitMs) return;
  writeSync(2, `The event loop has not turned for ${limitMs / 1_000} s: the process is stuck and ends\n`);
  process.kill(process.pid, 'SIGKILL');
}, beatMs);
