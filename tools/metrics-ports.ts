import { freePort } from './processes.ts';

/** The default of a role: if another program takes it meanwhile, the role goes on without metrics. */
const PREFERRED = 9_464;

/** A port of its own for each role; the first one gets the port that was asked for. None when they are not wanted (`off`). */
export async function metricsPorts(roles: readonly string[], given = ''): Promise<Record<string, string>> {
  if (given === 'off') return {};
  const ports: Record<string, string> = {};
  for (const role of roles) {
    const isFirst = Object.keys(ports).length === 0;
    const isGiven = isFirst && given !== '' && given !== '0';
    ports[role] = isGiven ? given : String(await freePort(isFirst ? PREFERRED : undefined));
  }
  return ports;
}

/** `METRICS_PORT` of a role that gets this port. */
export function metricsVariable(port: string | undefined): string {
  if (port === undefined) return 'off';
  return port === String(PREFERRED) ? '' : port;
}
