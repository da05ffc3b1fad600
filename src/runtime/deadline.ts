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
 * is aborted. It is not begun once `stopping` is aborted.
 *
 * @throws DeadlineError
 */
export function callWithDeadline<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { milliseconds, stopping, controller = new AbortController() }: Abortable & { readonly milliseconds: number },
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const settle = () => {
    clearTimeout(timer);
    stopping.removeEventListener('abort', stop);
  };
  const giveUp = (error: unknown) => {
    settle();
    controller.abort(error);
    reject(error);
  };
  const stop = () => giveUp(new Error('The process stops'));
  const timer = setTimeout(() => giveUp(new DeadlineError(milliseconds)), milliseconds);
  stopping.addEventListener('abort', stop);
  if (stopping.aborted) {
    stop();
    return promise;
  }
  // A plug-in's may throw at once, or give no promise.
  new Promise<T>((called) => called(call(controller.signal))).then((result) => {
    settle();
    resolve(result);
  }, giveUp);
  return promise;
}
