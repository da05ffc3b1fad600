import type { FastifyReply, FastifyRequest } from 'fastify';
import { type HostPolicy, knownHosts } from '../../config/known-hosts.js';
import { toProblem } from '../problems/problem-details.js';
import { sendProblem } from '../problems/send-problem.js';
import type { RequestStep } from './request-steps.js';

/** Where a server listens, and from where browsers may use it. */
export interface BrowserPolicy extends HostPolicy {
  /** Origins whose pages may change something; `*` is any. */
  readonly corsOrigins: readonly string[];
}

/** They change nothing (RFC 9110, section 9.2.1). */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Keeps foreign pages in a user's browser from using this server. A page of another site may change nothing (403): its browser says
 * where the request comes from, by `Sec-Fetch-Site`, else by `Origin`; clients that are no browsers send neither header and are not
 * concerned. And a name that is not the server's own is a 421, as {@link knownHosts} has it.
 */
export function browserGuard(policy: BrowserPolicy): RequestStep {
  const isKnownHost = knownHosts(policy);
  const mayChange = originCheckOf(policy);
  return (request, reply) => {
    if (countHosts(request) > 1) return refuse(reply, 400);
    if (!isKnownHost(request.headers.host)) return refuse(reply, 421);
    return SAFE_METHODS.has(request.method) || mayChange(request) || refuse(reply, 403);
  };
}

function refuse(reply: FastifyReply, statusCode: number): false {
  sendProblem(reply, toProblem({ statusCode }));
  return false;
}

/** Node.js joins or drops what is there twice, so it is counted in what was sent. */
function countHosts({ raw: { rawHeaders } }: FastifyRequest): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}

/** The algorithm of Go's `http.CrossOriginProtection`. */
function originCheckOf({ publicUrl, corsOrigins }: BrowserPolicy): (request: FastifyRequest) => boolean {
  const allowed = new Set([...corsOrigins, ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin])]);
  const isAllowed = (origin: string | undefined) => allowed.has('*') || (origin !== undefined && allowed.has(origin));
  return ({ headers }) => {
    const { origin, host, 'sec-fetch-site': site } = headers;
    if (site === 'same-origin' || site === 'none') return true;
    if (site !== undefined) return isAllowed(origin);
    return origin === undefined || isAllowed(origin) || hostOf(origin) === host?.toLowerCase();
  };
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
