import type { Rate, Standing } from '../../kernel/access/rate.js';

/** The headers that tell a caller where it stands (draft-ietf-httpapi-ratelimit-headers-11). */
export function headersOf({ by, perSecond }: Rate, { remaining, fullAfterMs }: Standing): Record<string, string> {
  return {
    'ratelimit-policy': `"${by}";q=${perSecond};w=1`,
    ratelimit: `"${by}";r=${remaining};t=${Math.ceil(fullAfterMs / 1_000)}`,
  };
}
