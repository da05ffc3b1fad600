import type { Rate, Standing } from '../../kernel/access/rate.js';

/** The headers that tell a caller where it stands (draft-ietf-httpapi-ratelimit-headers-11). */
export function linesOf({ by, perSecond }: Rate, { remaining, fullAfterMs }: Standing): string {
  const seconds = Math.ceil(fullAfterMs / 1_000);
  return `ratelimit-policy: "${by}";q=${perSecond};w=1\r\nratelimit: "${by}";r=${remaining};t=${seconds}\r\n`;
}
