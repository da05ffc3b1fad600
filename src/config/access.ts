import { isIP } from 'node:net';
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
  /** Requests a second; `undefined`: the limits of the code, for whoever is asked who they are. */
  readonly rateLimit?: number | 'off' | undefined;
  /** Addresses, networks and names of such (`loopback`, `linklocal`, `uniquelocal`) whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Whose tokens are good here beside keys: an issuer of OpenID Connect, and what its tokens have to name as their audience. */
  readonly oidc?: { readonly issuer: string; readonly audience: string } | undefined;
}

const NETWORK_NAMES = ['loopback', 'linklocal', 'uniquelocal'];
const RATE = /^([1-9]\d{0,5})\/s$/;

export function readAccess(reader: EnvironmentReader): AccessPolicy {
  const auth = reader.optional('AUTH');
  const docs = reader.optional('DOCS');
  return {
    auth: auth === undefined ? undefined : reader.oneOf('AUTH', ['off', 'optional', 'required'], 'required'),
    docsArePublic: docs !== undefined && reader.oneOf('DOCS', ['public', 'private'], 'private') === 'public',
    rateLimit: readRateLimit(reader),
    trustedProxies: readTrustedProxies(reader),
    oidc: readOidc(reader),
  };
}

function readRateLimit(reader: EnvironmentReader): AccessPolicy['rateLimit'] {
  const text = reader.optional('RATE_LIMIT');
  if (text === undefined || text === 'off') return text;
  const [, perSecond = ''] = RATE.exec(text) ?? [];
  if (perSecond === '')
    reader.problems.push(`RATE_LIMIT must be off or like 100/s, from 1/s to 999999/s, not "${text}"`);
  return Number(perSecond);
}

function readTrustedProxies(reader: EnvironmentReader): string[] {
  const proxies = reader.list('TRUST_PROXY');
  const wrong = proxies.filter((proxy) => !NETWORK_NAMES.includes(proxy) && !isNetwork(proxy));
  if (wrong.length > 0) {
    reader.problems.push(
      `TRUST_PROXY must name addresses or networks of proxies, like 10.0.0.7,192.168.0.0/16, or ${NETWORK_NAMES.join(', ')}, not "${wrong.join(',')}"`,
    );
  }
  return proxies;
}

/** An address, or one with the length of its prefix. One of length 0 would believe everybody. */
function isNetwork(text: string): boolean {
  const [address = '', length, ...rest] = text.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const isLength = length === undefined || (/^[1-9]\d{0,2}$/.test(length) && Number(length) <= bits);
  return bits > 0 && isLength && rest.length === 0;
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
