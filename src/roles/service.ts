import { lookup } from 'node:dns/promises';
import type { Readiness } from '../telemetry/metrics-server.js';

/** A role that runs until it is stopped. */
export interface Service {
  /** Where it listens. */
  readonly url?: string;
  readonly close: () => Promise<void>;
  /** What its readiness check says. */
  readonly check: () => Promise<Readiness>;
}

/** One address of a host name: on a second one Fastify would listen by a server of its own, without the bounds of the first. */
export async function addressOf(host: string): Promise<string> {
  return (await lookup(host, { order: 'ipv4first' })).address;
}
