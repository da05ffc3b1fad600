import { isIPv6 } from 'node:net';

/** Before an address of IPv4, where a socket of IPv6 serves both. */
const MAPPED = '::ffff:';
/** Groups of an IPv6 address that one customer of a provider has to itself. */
const NETWORK_GROUPS = 4;

/** Whoever has an address of IPv6 has all of its /64 network. */
export function networkOf(address: string | undefined): string {
  // Of a client that has gone before it was looked at.
  if (address === undefined) return 'unknown';
  const mapped = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
  if (!isIPv6(mapped)) return mapped;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const all =
    tail === undefined ? groups : [...groups, ...Array<string>(8 - groups.length - last.length).fill('0'), ...last];
  return `${all.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
