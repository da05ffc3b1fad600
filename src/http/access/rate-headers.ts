import type { FastifyReply } from 'fastify';
import type { Rate, Standing } from '../../kernel/access/rate.js';
import { addKnownHeader } from '../server/answer.js';

/** The headers that tell a caller where it stands (draft-ietf-httpapi-ratelimit-headers-11). */
export function tellStanding(reply: FastifyReply, { by, perSecond }: Rate, { remaining, fullAfterMs }: Standing): void {
  addKnownHeader(reply, 'ratelimit-policy', `"${by}";q=${perSecond};w=1`);
  addKnownHeader(reply, 'ratelimit', `"${by}";r=${remaining};t=${Math.ceil(fullAfterMs / 1_000)}`);
}
