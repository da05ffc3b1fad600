import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ANYBODY, type Caller } from '../../kernel/access/caller.js';

/** A user who may do everything that a server offers, known by a password of HTTP Basic, which can be guessed. */
export class Password {
  private readonly expected: Buffer;
  private readonly caller: Caller;

  constructor({ user, password }: { user: string; password: string }) {
    this.expected = digest(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
    this.caller = { ...ANYBODY, actor: `dashboard:${user}` };
  }

  /** Compared in constant time. */
  callerOf({ headers: { authorization } }: FastifyRequest): Caller | undefined {
    return timingSafeEqual(digest(authorization ?? ''), this.expected) ? this.caller : undefined;
  }
}

/** Equally long for every input, as a comparison in constant time needs it. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
