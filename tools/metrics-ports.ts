import { freePort } from './processes.ts';

/** As the exporters of OpenTelemetry have it. */
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
