import type { Config } from './config.js';
import type { EnvironmentReader } from './environment-reader.js';

/** As the exporters of OpenTelemetry have it. */
const METRICS_PORT = 9_464;

/** `METRICS_PORT`: a port, or `off`. */
export function readMetrics(reader: EnvironmentReader): Config['metrics'] {
  if (reader.optional('METRICS_PORT') === 'off') return undefined;
  const port = reader.integer('METRICS_PORT', { fallback: METRICS_PORT, min: 0, max: 65_535, or: '"off"' });
  return { port, isGiven: reader.optional('METRICS_PORT') !== undefined };
}
