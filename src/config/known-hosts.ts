import { isLoopback } from './loopback.js';

/** By which names a server is asked. */
export interface HostPolicy {
  /** Where it listens. */
  readonly host: string;
  /** The address that browsers know it by, behind a proxy. */
  readonly publicUrl: string | undefined;
  /** Further names that a server on a loopback address is asked by. */
  readonly allowedHosts: readonly string[];
}

/** Names that were looked at are remembered; nobody asks by more of them. */
const MAX_REMEMBERED = 1_000;

/**
 * Gives what tells by its `Host` whether a server may answer a request. One on a loopback address, which only programs of
 * this machine reach, does not answer to a foreign name, which DNS rebinding would give it; any other answers to all.
 */
export function knownHosts(policy: HostPolicy): (host: string | undefined) => boolean {
  return isLoopback(policy.host) ? remember(checkOf(policy)) : () => true;
}

function checkOf({ publicUrl, allowedHosts }: HostPolicy): (host: string) => boolean {
  const named = new Set(
    [...allowedHosts, ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname])].map(lower),
  );
  return (host) => {
    const name = lower(host).replace(/:\d+$/, '').replace(/\.$/, '');
    // A client of HTTP/1.0 names no host; browsers do.
    return name === '' || isLoopback(name) || named.has(name) || named.has(lower(host));
  };
}

function remember(check: (host: string) => boolean): (host: string | undefined) => boolean {
  const known = new Map<string, boolean>();
  return (host = '') => {
    const found = known.get(host) ?? check(host);
    if (known.size < MAX_REMEMBERED) known.set(host, found);
    return found;
  };
}

function lower(text: string): string {
  return text.toLowerCase();
}
