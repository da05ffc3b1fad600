import type { FastifyRequest } from 'fastify';
import type { Authentication } from '../../config/access.js';
import { isLoopback } from '../../config/loopback.js';
import { ANYBODY, ANYBODY_ELSEWHERE, type Authenticator, type Caller, NOBODY } from '../../kernel/access/caller.js';
import { TooManyRequestsError } from '../../kernel/access/too-many-requests.error.js';
import { UnauthenticatedError } from '../../kernel/access/unauthenticated.error.js';
import { tokenOf } from './credentials.js';
import { GuessLimit } from './guess-limit.js';
import type { Password } from './password.js';
import { needsCredentials, needsFirstKey } from './refusals.js';

export interface IdentificationOptions {
  /** As {@link AccessPolicy.auth} has it. */
  readonly auth: Authentication | undefined;
  /** Where the server listens. */
  readonly host: string;
  /** Lets in beside tokens. */
  readonly password?: Password | undefined;
}

/** Only proxies send one, or any that begins with `x-forwarded-`. */
const PROXY_HEADERS: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'cf-connecting-ip',
  'cdn-loop',
  'true-client-ip',
  'fastly-client-ip',
]);

/** Finds out who sends a request. */
export class Identification {
  /** Knows callers by their tokens. Set before the server listens. */
  authenticator: Authenticator | undefined;
  private readonly guesses = new GuessLimit();
  private readonly isOnLoopback: boolean;

  constructor(private readonly options: IdentificationOptions) {
    this.isOnLoopback = isLoopback(options.host);
  }

  /** @throws as {@link Authenticator.authenticate} does, and TooManyRequestsError for an address that has guessed too often. */
  identify(request: FastifyRequest): Caller | Promise<Caller> {
    return this.find(request, (token) => this.byPassword(request) ?? this.authenticate(token, request));
  }

  /**
   * Where everybody may come in. Wrong credentials are none there, and no guess; a password is not looked at, so that nobody can try one.
   */
  guess(request: FastifyRequest): Caller | Promise<Caller> {
    try {
      const caller = this.find(request, (token) => this.known.authenticate(token));
      return caller instanceof Promise ? caller.catch(() => NOBODY) : caller;
    } catch {
      return NOBODY;
    }
  }

  private find(
    request: FastifyRequest,
    authenticate: (token: string) => Caller | Promise<Caller>,
  ): Caller | Promise<Caller> {
    const { auth } = this.options;
    if (auth === undefined && this.isLocal(request)) return ANYBODY;
    if (auth === 'off') return this.anybody(request);
    const token = tokenOf(request);
    if (token !== undefined) return authenticate(token);
    if (auth === 'optional') return this.anybody(request);
    throw this.known.knowsAnybody ? needsCredentials() : needsFirstKey();
  }

  /** A password can be guessed, so none is looked at of an address that has guessed too often. */
  private byPassword(request: FastifyRequest): Caller | undefined {
    const { password } = this.options;
    return password === undefined || this.guesses.waitSecondsOf(request.ip) > 0
      ? undefined
      : password.callerOf(request);
  }

  /** What is right is let in at once, however much was guessed before: 256 bits are not found in ten tries a minute. */
  private authenticate(token: string, request: FastifyRequest): Caller | Promise<Caller> {
    try {
      const caller = this.known.authenticate(token);
      if (!(caller instanceof Promise)) return caller;
      // Whoever hangs up meanwhile has no address any more.
      const { ip } = request;
      return caller.catch((error: unknown) => this.noteGuess(error, ip));
    } catch (error) {
      return this.noteGuess(error, request.ip);
    }
  }

  private noteGuess(error: unknown, address: string | undefined): never {
    if (!(error instanceof UnauthenticatedError) || !error.isGuess) throw error;
    const waitSeconds = this.guesses.waitSecondsOf(address);
    if (waitSeconds > 0)
      throw new TooManyRequestsError('Too many wrong credentials came from this address', waitSeconds);
    this.guesses.note(address);
    throw error;
  }

  private anybody(request: FastifyRequest): Caller {
    return this.isLocal(request) ? ANYBODY : ANYBODY_ELSEWHERE;
  }

  /** Whether only a user of the machine itself can have sent it: behind a proxy, requests come from anywhere. */
  private isLocal({ headers }: FastifyRequest): boolean {
    if (!this.isOnLoopback) return false;
    for (const name in headers) if (PROXY_HEADERS.has(name) || name.startsWith('x-forwarded-')) return false;
    return true;
  }

  private get known(): Authenticator {
    if (this.authenticator === undefined) throw new Error('The door has no authenticator');
    return this.authenticator;
  }
}
