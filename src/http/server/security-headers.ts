import { knownHeadersOf, setDefaultHeaders } from './answer.js';
import type { RequestStep } from './request-steps.js';

/**
 * Headers of every answer: a browser takes it for nothing but what it says it is, shows it in no foreign page, and runs nothing of it.
 * `Cache-Control` keeps what changes by itself out of every cache. A page, or a product, says more precisely what it allows.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** @param contentSecurityPolicy of a server whose answers are pages. */
export function securityHeaders(contentSecurityPolicy?: string): RequestStep {
  const headers =
    contentSecurityPolicy === undefined ? HEADERS : { ...HEADERS, 'content-security-policy': contentSecurityPolicy };
  const defaults = knownHeadersOf(headers);
  return (_request, reply) => {
    setDefaultHeaders(reply, defaults);
    return true;
  };
}
