import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Log } from '../../runtime/log.js';
import type { FastifyInstance } from 'fastify';

/** Each wrong guess from an address is answered so much later than the one before, up to the longest. */
const DELAY_STEP_MS = 250;
const MAX_DELAY_MS = 5_000;
/** Without a guess for so long, an address begins anew. */
const FORGET_MS = 60_000;
const MAX_ADDRESSES = 10_000;
const LOG_INTERVAL_MS = 10_000;

interface Guesses {
  readonly count: number;
  readonly last: number;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
  /** Named to the browser. */
  readonly realm: string;
  /** A path that is open to everybody. */
  readonly openPath: string;
}

/**
 * Asks for a user and a password, by HTTP Basic, on every route of the server: Nest's guards do not see raw routes. Right credentials are
 * always served at once. Wrong ones are answered late, and later with each guess, and are told in the log.
 */
export function requireCredentials(server: FastifyInstance, { user, password, realm, openPath }: Credentials): void {
  const expected = digest(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
  const guesses = new GuessLog();
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url === openPath) return;
    const { authorization } = request.headers;
    if (timingSafeEqual(digest(authorization ?? ''), expected)) return;
    // A browser asks without credentials first: that is no guess.
    if (authorization !== undefined) await delay(guesses.note(request.ip));
    await reply
      .code(401)
      .header('WWW-Authenticate', `Basic realm="${realm}"`)
      .send({ error: 'Credentials are required' });
  });
}

/** Wrong guesses of the last minute, by address. */
class GuessLog {
  private readonly logger = new Log('Credentials');
  private readonly byAddress = new Map<string, Guesses>();
  private unlogged = 0;
  private loggedAt = -Infinity;

  /** Notes a wrong guess, and gives the milliseconds after which it is answered. */
  note(address: string): number {
    const now = performance.now();
    const before = this.byAddress.get(address);
    const count = before !== undefined && now - before.last < FORGET_MS ? before.count + 1 : 1;
    this.byAddress.delete(address);
    this.byAddress.set(address, { count, last: now });
    const [oldest] = this.byAddress.keys();
    if (this.byAddress.size > MAX_ADDRESSES && oldest !== undefined) this.byAddress.delete(oldest);
    this.log(address, now);
    return Math.min(count * DELAY_STEP_MS, MAX_DELAY_MS);
  }

  private log(address: string, now: number): void {
    this.unlogged++;
    if (now - this.loggedAt < LOG_INTERVAL_MS) return;
    this.logger.warn('Wrong credentials; count has those since the last such line', { address, count: this.unlogged });
    this.loggedAt = now;
    this.unlogged = 0;
  }
}

/** Equally long for every input, as a comparison in constant time needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
