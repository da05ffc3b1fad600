import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AccessPolicy } from '../../config/access.js';
import { LIMITS } from '../../config/limits.js';
import { ApplicationError } from '../../kernel/application-error.js';
import { ANYBODY, type Caller, NOBODY, type Refusal } from '../../kernel/access/caller.js';
import type { Rate, RateLimit, Standing } from '../../kernel/access/rate.js';
import { TooManyRequestsError } from '../../kernel/access/too-many-requests.error.js';
import { UnauthenticatedError } from '../../kernel/access/unauthenticated.error.js';
import { toProblem } from '../problems/problem-details.js';
import { sendProblem } from '../problems/send-problem.js';
import { Identification, type IdentificationOptions } from './identification.js';
import { challengeOf, missingScope, notForCustomers, refusalOf } from './refusals.js';
import { networkOf } from './network.js';
import { tellStanding } from './rate-headers.js';
import { type RouteAccess, type Terms, termsOf, weightOf } from './route-access.js';

export interface DoorOptions extends IdentificationOptions, AccessPolicy {
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

const DAY_SECONDS = 86_400;

/** What a customer leaves with its idempotency keys is kept for about as long. */
function customerKeysRate(): Rate {
  return { by: 'caller', perSecond: LIMITS.customerKeys / DAY_SECONDS, burstMs: DAY_SECONDS * 1_000 };
}

type Done = (error?: Error) => void;
type Knock = (request: FastifyRequest, reply: FastifyReply, done: Done) => void;

/** A request at the door of a route. */
interface Visit {
  readonly reply: FastifyReply;
  readonly terms: Terms;
  readonly done: Done;
}

/** Lets in who may come in, before the body of a request is read. Nest's guards would not see the raw routes. */
export class Door {
  /** Whom it asks. */
  readonly identification: Identification;
  /** Set before the server listens. */
  rateLimit: RateLimit | undefined;
  /** What the routes have said, by method and path. */
  readonly declared = new Map<string, RouteAccess>();
  /** Is told of each refusal. Set before the server listens. */
  onRefusal: ((refusal: Refusal) => void) | undefined;
  private readonly ofNoRoute: Knock;
  private readonly rates: Readonly<Record<Rate['by'], Rate>>;

  constructor(private readonly options: DoorOptions) {
    this.identification = new Identification(options);
    const given = options.rateLimit === 'off' ? undefined : options.rateLimit;
    this.rates = {
      address: { by: 'address', perSecond: given ?? LIMITS.addressRequests },
      caller: { by: 'caller', perSecond: given ?? LIMITS.callerRequests },
    };
    this.ofNoRoute = this.hookOf('caller');
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
  }

  /** What is not there is seen by those alone who may see what is. */
  guardUnknown(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    // What CORS asks before a request of a page is answered without credentials: browsers send none.
    if (this.options.allowOrigin !== undefined && asksForCors(request)) done();
    else this.ofNoRoute(request, reply, done);
  }

  private hookOf(declared: RouteAccess): Knock {
    const access = declared === 'docs' ? (this.options.docsArePublic ? 'public' : 'caller') : declared;
    const terms = termsOf(access);
    const { identification } = this;
    return (request, reply, done) => {
      request.caller = NOBODY;
      try {
        const caller = terms.isPublic ? identification.guess(request) : identification.identify(request);
        if (caller instanceof Promise) {
          this.admitLater(caller, { reply, terms, done });
          return;
        }
        this.admit(caller, reply, terms);
      } catch (error) {
        this.refuse(reply, error);
        return;
      }
      done();
    };
  }

  private admitLater(caller: Promise<Caller>, { reply, terms, done }: Visit): void {
    // What fails in here must be answered, or it would end the process.
    caller
      .then((known) => this.admit(known, reply, terms))
      .then(
        () => done(),
        (error: unknown) => this.refuse(reply, error),
      )
      .catch((error: unknown) => done(error instanceof Error ? error : new Error(String(error))));
  }

  /** @throws TooManyRequestsError, ForbiddenError */
  private admit(caller: Caller, reply: FastifyReply, terms: Terms): void {
    reply.request.caller = caller;
    if (!terms.isPublic) this.limit(reply, terms.weight);
    expectAllowed(caller, terms);
  }

  /** @throws TooManyRequestsError */
  private limit(reply: FastifyReply, weight: number): void {
    const { request } = reply;
    const rate = this.rateOf(request);
    if (rate === undefined || this.rateLimit === undefined) return;
    const { caller, headers } = request;
    const standing = this.rateLimit.take(caller.actor ?? networkOf(request.ip), rate, weightOf(weight, headers));
    tellStanding(reply, rate, standing);
    if (!standing.isAllowed) throw tooMany(standing, `More than ${rate.perSecond} requests a second`);
    if (caller.customerRef === null || headers['idempotency-key'] === undefined) return;
    const ofKeys = this.rateLimit.take(`keys of ${caller.actor}`, customerKeysRate(), 1);
    if (!ofKeys.isAllowed)
      throw tooMany(ofKeys, `More than ${LIMITS.customerKeys} requests with an Idempotency-Key in a day`);
  }

  /** Whoever is not let in is limited by its address all the same, and is told so beyond it. */
  private limitStranger(reply: FastifyReply, refusal: UnauthenticatedError): ApplicationError {
    try {
      this.limit(reply, 1);
      return refusal;
    } catch (error) {
      if (error instanceof TooManyRequestsError) return error;
      throw error;
    }
  }

  /** Where nobody is asked who they are, nobody is limited, unless that is asked for. */
  private rateOf(request: FastifyRequest): Rate | undefined {
    const { auth, rateLimit } = this.options;
    const isOpen = auth === 'off' || (auth === undefined && request.caller === ANYBODY);
    if (rateLimit === 'off' || (rateLimit === undefined && isOpen)) return undefined;
    return request.caller.actor === null ? this.rates.address : this.rates.caller;
  }

  private refuse(reply: FastifyReply, reason: unknown): void {
    const error = reason instanceof UnauthenticatedError ? this.limitStranger(reply, reason) : reason;
    this.options.allowOrigin?.(reply);
    if (error instanceof ApplicationError && error.kind !== 'unavailable')
      this.onRefusal?.(refusalOf(reply.request, error));
    if (error instanceof UnauthenticatedError) {
      reply.header(
        'WWW-Authenticate',
        challengeOf(reply.request, { asksForPassword: this.options.password !== undefined }),
      );
    }
    sendProblem(reply, toProblem(error), error);
  }
}

function tooMany({ waitMs }: Standing, problem: string): TooManyRequestsError {
  return new TooManyRequestsError(problem, Math.ceil(waitMs / 1_000));
}

/** @throws ForbiddenError */
function expectAllowed(caller: Caller, { scopes, isForCustomers }: Terms): void {
  if (scopes !== undefined && !scopes.some((scope) => caller.scopes.has(scope))) throw missingScope(scopes);
  if (caller.customerRef !== null && !isForCustomers) throw notForCustomers();
}

function asksForCors({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}
