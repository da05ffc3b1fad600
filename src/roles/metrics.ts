import { Logger } from '@nestjs/common';
import type { Config, Role } from '../config/config.js';
import { VERSION } from '../kernel/version.js';
import { declareProcessMetrics, gauge } from '../telemetry/metrics.js';
import { serveMetrics } from '../telemetry/metrics-server.js';
import { addressOf, type Service } from './service.js';

const ROLES: readonly Role[] = ['api', 'worker', 'dashboard'];

const build = gauge({
  name: 'build_info',
  unit: '1',
  help: 'The version of this process, and what it does.',
  labels: { version: [VERSION], role: ROLES },
});

/**
 * Serves the metrics of a role, where they are wanted. A port that nobody has asked for may be taken, by another role of this machine for
 * instance: then the process does without.
 *
 * @throws when the port that was asked for is taken.
 */
export async function startMetrics({ metrics, host }: Config, role: Role, service: Service): Promise<void> {
  if (metrics === undefined) return;
  declareProcessMetrics();
  build.set({ version: VERSION, role }, 1);
  const logger = new Logger('Metrics');
  try {
    const server = await serveMetrics({ host: await addressOf(host), port: metrics.port }, service.check);
    logger.log(`The metrics are at ${server.url}/metrics`);
  } catch (error) {
    if (metrics.isGiven)
      throw new Error(`The metrics cannot be served on port ${metrics.port} (METRICS_PORT): ${String(error)}`, {
        cause: error,
      });
    logger.warn(`There are no metrics, for port ${metrics.port} is taken: set METRICS_PORT to another one, or to off`);
  }
}
