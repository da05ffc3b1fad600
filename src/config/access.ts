import type { EnvironmentReader } from './environment-reader.js';
import { isLoopback } from './loopback.js';

/** Whether callers have to say who they are. */
export type Authentication = 'off' | 'optional' | 'required';

/** Who may come in. */
export interface AccessPolicy {
  /** `undefined`: nobody is asked who can only be a user of the machine itself, everybody else is. */
  readonly auth: Authentication | undefined;
  /** Whether the documentation pages are open to everybody. */
  readonly docsArePublic: boolean;
  /** Whose tokens are good here beside keys: an issuer of OpenID Connect, and what its tokens have to name as their audience. */
  readonly oidc?: { readonly issuer: string; readonly audience: string } | undefined;
}

export function readAccess(reader: EnvironmentReader): AccessPolicy {
  const auth = reader.optional('AUTH');
  const docs = reader.optional('DOCS');
  return {
    auth: auth === undefined ? undefined : reader.oneOf('AUTH', ['off', 'optional', 'required'], 'required'),
    docsArePublic: docs !== undefined && reader.oneOf('DOCS', ['public', 'private'], 'private') === 'public',
    oidc: readOidc(reader),
  };
}

function readOidc(reader: EnvironmentReader): AccessPolicy['oidc'] {
  const issuer = reader.optionalUrl('OIDC_ISSUER', ['https:', 'http:']);
  const audience = reader.optional('OIDC_AUDIENCE');
  if (issuer === undefined && audience === undefined) return undefined;
  if (issuer === undefined || audience === undefined) {
    reader.problems.push('OIDC_ISSUER and OIDC_AUDIENCE must be set together');
    return undefined;
  }
  if (!isTrustworthy(issuer)) {
    reader.problems.push('OIDC_ISSUER must be an https:// URL, unless it is on this machine: its keys let people in');
  }
  return { issuer, audience };
}

/** Whether what a URL answers cannot be changed on its way. */
export function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}
