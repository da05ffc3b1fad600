import type { FastifyReply } from 'fastify';
import type { Rate, Standing } from '../../kernel/access/rate.js';
import { addKnownHeader, type KnownHeader, knownHeader } from '../server/answer.js';

/** The policy of each rate, which is the same for all its answers. */
const policies = new WeakMap<Rate, KnownHeader>();

/** The headers that tell a caller where it stands (draft-ietf-httpapi-ratelimit-headers-11). */
export function tellStanding(reply: FastifyReply, rate: Rate, { remaining, fullAfterMs }: Standing): void {
  addKnownHeader(reply, policies.get(rate) ?? policyOf(rate));
  addKnownHeader(reply, knownHeader('ratelimit', `"${rate.by}";r=${remaining};t=${Math.ceil(fullAfterMs / 1_000)}`));
}

function policyOf(rate: Rate): KnownHeader {
  const policy = knownHeader('ratelimit-policy', `"${rate.by}";q=${rate.perSecond};w=1`);
  policies.set(rate, policy);
  return policy;
}
