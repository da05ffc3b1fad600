import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL_MS = 20;

/** Repeats an assertion until it holds, or fails with its last failure when it does not in time. */
export async function eventually(assertion: () => void | Promise<void>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(INTERVAL_MS);
    }
  }
}
