import { jest } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { callWithDeadline, DeadlineError } from './deadline.js';

describe('a call with a deadline', () => {
  const stopping = () => new AbortController();
  const never = async (signal: AbortSignal) => delay(60_000, 'late', { signal });

  it('gives what the call gives, and does not abort it', async () => {
    let given: AbortSignal | undefined;
    const call = async (signal: AbortSignal) => Promise.resolve((given = signal));
    await expect(callWithDeadline(call, { milliseconds: 1_000, stopping: stopping().signal })).resolves.toBe(given);
    expect(given?.aborted).toBe(false);
  });

  it('is given up and aborted after its time', async () => {
    const controller = new AbortController();
    const options = { milliseconds: 10, stopping: stopping().signal, controller };
    await expect(callWithDeadline(never, options)).rejects.toThrow(DeadlineError);
    expect(controller.signal.reason).toBeInstanceOf(DeadlineError);
  });

  it('is given up when the process stops, and not begun after that', async () => {
    const stop = stopping();
    const given = callWithDeadline(never, { milliseconds: 60_000, stopping: stop.signal });
    stop.abort();
    await expect(given).rejects.toThrow('The process stops');
    const call = jest.fn(never);
    await expect(callWithDeadline(call, { milliseconds: 60_000, stopping: stop.signal })).rejects.toThrow(
      'The process stops',
    );
    expect(call).not.toHaveBeenCalled();
  });

  it.each([
    ['throws at once', () => thrown()],
    ['rejects', async () => Promise.resolve().then(thrown)],
  ])('fails with what the call %s, and aborts what is left of it', async (_how, call) => {
    const controller = new AbortController();
    const options = { milliseconds: 60_000, stopping: stopping().signal, controller };
    await expect(callWithDeadline<never>(call, options)).rejects.toThrow('no such provider');
    expect(controller.signal.aborted).toBe(true);
  });
});

function thrown(): never {
  throw new Error('no such provider');
}
