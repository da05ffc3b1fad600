/** What was waited for did not come in time. It may still come later; its outcome is then ignored. */
export class DeadlineError extends Error {
  constructor(milliseconds: number) {
    super(`No answer within ${milliseconds} ms`);
    this.name = 'DeadlineError';
  }
}

/**
 * Waits for `promise`, but no longer than `milliseconds`.
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

/** By what a call can be given up, and aborted. */
export interface Abortable {
  /** When it is aborted, nobody waits for the call any more. */
  readonly stopping: AbortSignal;
  /** Of the signal that the call is given. Who aborts it still waits for the call: it tells what it has done all the same. */
  readonly controller?: AbortController;
}

/**
 * Makes a call that can be given up: after `milliseconds`, or when `stopping` is aborted, nobody waits for it any more, and its signal
 * is aborted.
 *
 * @throws DeadlineError
 */
export async function callWithDeadline<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { milliseconds, stopping, controller = new AbortController() }: Abortable & { readonly milliseconds: number },
): Promise<T> {
  let giveUp: (error: Error) => void = () => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => (giveUp = reject));
  const timer = setTimeout(() => giveUp(new DeadlineError(milliseconds)), milliseconds);
  const stop = () => giveUp(new Error('The process stops'));
  stopping.addEventListener('abort', stop);
  if (stopping.aborted) stop();
  try {
    return await Promise.race([call(controller.signal), givenUp]);
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener('abort', stop);
  }
}
