import { createHash, timingSafeEqual } from 'node:crypto';
import { GuessLimit } from '../access/guess-limit.js';
import type { FastifyInstance } from 'fastify';

export interface Credentials {
  readonly user: string;
  readonly password: string;
  /** Named to the browser. */
  readonly realm: string;
  /** A path that is open to everybody. */
  readonly openPath: string;
}

/**
 * Asks for a user and a password, by HTTP Basic, on every route of the server: Nest's guards do not see raw routes. Where an
 * address has guessed wrong too often, nothing of it is looked at for a minute: a password can be guessed.
 */
export function requireCredentials(server: FastifyInstance, { user, password, realm, openPath }: Credentials): void {
  const expected = digest(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
  const guesses = new GuessLimit();
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url === openPath) return;
    const { authorization } = request.headers;
    // A browser asks without credentials first: that is no guess.
    if (authorization !== undefined) {
      const waitSeconds = guesses.waitSecondsOf(request.ip);
      if (waitSeconds > 0) {
        const error = `Too many wrong credentials came from this address; try again in ${waitSeconds} s`;
        return reply.code(429).header('Retry-After', waitSeconds).send({ error });
      }
      if (timingSafeEqual(digest(authorization), expected)) return;
      guesses.note(request.ip);
    }
    return reply
      .code(401)
      .header('WWW-Authenticate', `Basic realm="${realm}"`)
      .send({ error: 'Credentials are required' });
  });
}

/** Equally long for every input, as a comparison in constant time needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
