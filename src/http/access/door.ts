import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { AccessPolicy } from '../../config/access.js';
import { LIMITS } from '../../config/limits.js';
import { isLoopback } from '../../config/loopback.js';
import { ApplicationError } from '../../kernel/application-error.js';
import {
  ANYBODY,
  ANYBODY_ELSEWHERE,
  type Authenticator,
  type Caller,
  NOBODY,
  type Refusal,
} from '../../kernel/access/caller.js';
import type { Rate, RateLimit } from '../../kernel/access/rate.js';
import { TooManyRequestsError } from '../../kernel/access/too-many-requests.error.js';
import { UnauthenticatedError } from '../../kernel/access/unauthenticated.error.js';
import { toProblem } from '../problems/problem-details.js';
import { sendProblem } from '../problems/send-problem.js';
import { GuessLimit } from './guess-limit.js';
import { tokenOf } from './credentials.js';
import { challengeOf, missingScope, needsCredentials, needsFirstKey, notForCustomers, refusalOf } from './refusals.js';
import { networkOf } from './network.js';
import { headersOf } from './rate-headers.js';
import { isForCustomers, type RouteAccess, scopesOf, weightOf } from './route-access.js';

export interface DoorOptions extends AccessPolicy {
  /** Where the server listens. */
  readonly host: string;
  /** Puts the headers of CORS on a refusal, which is made before CORS has its turn. */
  readonly allowOrigin?: (reply: FastifyReply) => void;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Of a server that asks its callers who they are. */
    door?: Door;
  }
}

/** The door of a server. */
export function doorOf({ door }: FastifyInstance): Door {
  if (door === undefined) throw new Error('The server has no door');
  return door;
}

/** Only proxies send one. */
const PROXY_HEADER = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;

/** Lets in who may come in, before the body of a request is read. Nest's guards would not see the raw routes. */
export class Door {
  /** Set before the server listens. */
  authenticator: Authenticator | undefined;
  /** Likewise. */
  rateLimit: RateLimit | undefined;
  /** What the routes have said, by method and path. */
  readonly declared = new Map<string, RouteAccess>();
  /** Is told of each refusal. Set before the server listens. */
  onRefusal: ((refusal: Refusal) => void) | undefined;
  private readonly guesses = new GuessLimit();
  private readonly isOnLoopback: boolean;

  constructor(private readonly options: DoorOptions) {
    this.isOnLoopback = isLoopback(options.host);
  }

  /** Every route of the server that is made from here on has to say who may use it. */
  guard(server: FastifyInstance): void {
    server.door = this;
    server.decorateRequest('caller');
    server.addHook('onRoute', (route) => {
      const access = route.config?.access;
      // The preflight of CORS is registered for all paths, and changes and tells nothing.
      if (route.url === '*' && route.method === 'OPTIONS') return;
      if (access === undefined)
        throw new Error(`${String(route.method)} ${route.url} does not say who may use it: @Access(…)`);
      for (const method of [route.method].flat()) this.declared.set(`${method} ${route.url}`, access);
      route.onRequest = [this.hookOf(access), ...[route.onRequest ?? []].flat()];
    });
    // What is not there is seen by those alone who may see what is.
    const ofNoRoute = this.hookOf('caller');
    server.addHook('onRequest', (request, reply, done) => {
      // What CORS asks before a request of a page is answered without credentials: browsers send none.
      const isPreflight = this.options.allowOrigin !== undefined && asksForCors(request);
      if (request.is404 && !isPreflight) ofNoRoute.call(server, request, reply, done);
      else done();
    });
  }

  private hookOf(declared: RouteAccess): onRequestHookHandler {
    const access = declared === 'docs' ? (this.options.docsArePublic ? 'public' : 'caller') : declared;
    const weight = weightOf(access);
    return (request, reply, done) => {
      request.caller = NOBODY;
      const admit = (caller: Caller): void => {
        request.caller = caller;
        if (access !== 'public') this.limit(reply, weight);
        expectAllowed(caller, access);
      };
      const refuse = (error: unknown): void => this.refuse(reply, error);
      try {
        const caller = access === 'public' ? this.guess(request) : this.identify(request);
        if (caller instanceof Promise) {
          // What fails in here must be answered, or it would end the process.
          caller
            .then(admit)
            .then(() => done(), refuse)
            .catch((error: unknown) => done(error instanceof Error ? error : new Error(String(error))));
          return;
        }
        admit(caller);
      } catch (error) {
        refuse(error);
        return;
      }
      done();
    };
  }

  /** @throws as {@link Authenticator.authenticate} does. */
  private identify(request: FastifyRequest): Caller | Promise<Caller> {
    const { auth } = this.options;
    if (auth === undefined && this.isLocal(request)) return ANYBODY;
    if (auth === 'off') return this.anybody(request);
    const token = tokenOf(request);
    if (token !== undefined) return this.authenticate(token, request.ip);
    if (auth === 'optional') return this.anybody(request);
    throw this.known.knowsAnybody ? needsCredentials() : needsFirstKey();
  }

  /** What is right is let in at once, however much was guessed before: 256 bits are not found in ten tries a minute. */
  private authenticate(token: string, address: string | undefined): Caller | Promise<Caller> {
    const refuse = (error: unknown): never => this.noteGuess(error, address);
    try {
      const caller = this.known.authenticate(token);
      return caller instanceof Promise ? caller.catch(refuse) : caller;
    } catch (error) {
      return refuse(error);
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

  /** Where everybody may come in, wrong credentials are none. */
  private guess(request: FastifyRequest): Caller | Promise<Caller> {
    try {
      const caller = this.identify(request);
      return caller instanceof Promise ? caller.catch(() => NOBODY) : caller;
    } catch {
      return NOBODY;
    }
  }

  /** @throws TooManyRequestsError */
  private limit(reply: FastifyReply, weight: number): void {
    const { caller, ip } = reply.request;
    const rate = this.rateOf(reply.request);
    if (rate === undefined || this.rateLimit === undefined) return;
    const standing = this.rateLimit.take(caller.actor ?? networkOf(ip), rate, weight);
    reply.headers(headersOf(rate, standing));
    if (!standing.isAllowed) {
      const waitSeconds = Math.ceil(standing.waitMs / 1_000);
      throw new TooManyRequestsError(`More than ${rate.perSecond} requests a second`, waitSeconds);
    }
  }

  /** Where nobody is asked who they are, nobody is limited, unless that is asked for. */
  private rateOf(request: FastifyRequest): Rate | undefined {
    const { auth, rateLimit } = this.options;
    const isOpen = auth === 'off' || (auth === undefined && request.caller === ANYBODY);
    if (rateLimit === 'off' || (rateLimit === undefined && isOpen)) return undefined;
    return request.caller.actor === null
      ? { by: 'address', perSecond: rateLimit ?? LIMITS.addressRequests }
      : { by: 'caller', perSecond: rateLimit ?? LIMITS.callerRequests };
  }

  private anybody(request: FastifyRequest): Caller {
    return this.isLocal(request) ? ANYBODY : ANYBODY_ELSEWHERE;
  }

  /** Whether only a user of the machine itself can have sent it: behind a proxy, requests come from anywhere. */
  private isLocal({ headers }: FastifyRequest): boolean {
    return this.isOnLoopback && !Object.keys(headers).some((name) => PROXY_HEADER.test(name));
  }

  private get known(): Authenticator {
    if (this.authenticator === undefined) throw new Error('The door has no authenticator');
    return this.authenticator;
  }

  private refuse(reply: FastifyReply, error: unknown): void {
    this.options.allowOrigin?.(reply);
    if (error instanceof ApplicationError && error.kind !== 'unavailable')
      this.onRefusal?.(refusalOf(reply.request, error));
    if (error instanceof UnauthenticatedError) reply.header('WWW-Authenticate', challengeOf(reply.request));
    const problem = toProblem(error);
    if (problem.status === 503) reply.header('Retry-After', 1);
    if (error instanceof TooManyRequestsError) reply.header('Retry-After', error.waitSeconds);
    sendProblem(reply, problem, error);
  }
}

/** @throws ForbiddenError */
function expectAllowed(caller: Caller, access: RouteAccess): void {
  const scopes = scopesOf(access);
  if (scopes !== undefined && !scopes.some((scope) => caller.scopes.has(scope))) throw missingScope(scopes);
  if (caller.customerRef !== null && !isForCustomers(access)) throw notForCustomers();
}

function asksForCors({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}
