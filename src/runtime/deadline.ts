/** What was waited for did not come in time. It may still come later; its outcome is then ignored. */
export class DeadlineError extends Error {
  constructor(milliseconds: number) {
    super(`No answer within ${milliseconds} ms`);
    this.name = 'DeadlineError';
  }
}

/**
 * Waits for `promise`, but no longer than `milliseconds`: the one thing here that waits with a deadline.
 *
 * @throws DeadlineError
 */
export async function withDeadline<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Makes a call that can be given up: its signal is aborted after `milliseconds`, or when `stopping` is. Nobody waits for a call
 * that does not heed it. When `unwanted` is aborted, the signal is aborted as well, but the call is waited for: it tells what
 * it has done all the same.
 *
 * @throws DeadlineError
 */
export async function callWithDeadline<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { milliseconds, stopping, unwanted }: { milliseconds: number; stopping: AbortSignal; unwanted: AbortSignal },
): Promise<T> {
  const controller = new AbortController();
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new Error('The process stops'));
  });
  stopping.addEventListener('abort', stop);
  if (stopping.aborted) stop();
  try {
    return await withDeadline(
      Promise.race([call(AbortSignal.any([controller.signal, unwanted])), stopped]),
      milliseconds,
    );
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    stopping.removeEventListener('abort', stop);
  }
}
