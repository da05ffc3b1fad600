import type { Config, Role } from '../config/config.js';
import { knownHosts } from '../config/known-hosts.js';
import { VERSION } from '../kernel/version.js';
import { Log } from '../runtime/log.js';
import { declareProcessMetrics, gauge } from '../telemetry/metrics.js';
import { serveMetrics } from '../telemetry/metrics-server.js';
import { addressOf, type Service } from './service.js';

const ROLES: readonly Role[] = ['api', 'worker', 'dashboard'];

const build = gauge({
  name: 'build_info',
  unit: '1',
  help: 'The version and the role of this process; always 1.',
  labels: { version: [VERSION], role: ROLES },
});

/**
 * Serves the metrics of a role unless they are off. If the default port is taken, e.g. by another role on this machine, the process runs without
 * metrics. The logger does not exist yet, so this returns a function that logs the outcome.
 *
 * @throws when the port was set and cannot be opened.
 */
export async function startMetrics(config: Config, role: Role, check: Service['check']): Promise<() => void> {
  const { metrics, host } = config;
  if (metrics === undefined) return () => undefined;
  declareProcessMetrics();
  build.set({ version: VERSION, role }, 1);
  try {
    const url = await serveMetrics({
      host: await addressOf(host),
      port: metrics.port,
      isKnownHost: knownHosts(config),
      check,
    });
    return () => new Log('Metrics').info('The metrics are served', { url: `${url}/metrics` });
  } catch (error) {
    if (metrics.isGiven) {
      throw new Error(`The metrics cannot be served on port ${metrics.port} (METRICS_PORT): ${String(error)}`, {
        cause: error,
      });
    }
    return () =>
      new Log('Metrics').warn(
        'There are no metrics, because their port is taken: set METRICS_PORT to another one, or to off',
        {
          error,
        },
      );
  }
}
