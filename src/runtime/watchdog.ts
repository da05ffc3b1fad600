import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';

const BEAT_MS = 1_000;

/**
 * Ends this process when its event loop has not turned for `limitMs`: a process that is stuck in a loop answers nobody, and only its
 * end lets a supervisor start it anew. A thread counts the beats that the event loop owes. It counts its own ticks and not the time,
 * so that a process that was frozen as a whole and goes on is not ended. While a debugger is attached it does not count.
 */
export function watchEventLoop(limitMs: number): void {
  const beats = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const beat = () => {
    Atomics.add(beats, 0, 1);
    Atomics.store(beats, 1, inspector.url() === undefined ? 0 : 1);
  };
  beat();
  setInterval(beat, BEAT_MS).unref();
  const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), {
    workerData: { beats, beatMs: BEAT_MS, limitMs },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 },
  });
  thread.unref();
}
