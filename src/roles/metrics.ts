import type { Config, Role } from '../config/config.js';
import { knownHosts } from '../config/known-hosts.js';
import { VERSION } from '../kernel/version.js';
import { Log } from '../runtime/log.js';
import { declareProcessMetrics, forget, gauge } from '../telemetry/metrics.js';
import { serveMetrics } from '../telemetry/metrics-server.js';
import { addressOf, type Service } from './service.js';

const ROLES: readonly Role[] = ['api', 'worker', 'dashboard'];

const build = gauge({
  name: 'build_info',
  unit: '1',
  help: 'The version and the role of this process, while it is up; always 1.',
  labels: { version: [VERSION], role: ROLES },
});

/** A process that is not up by then tells of itself all the same: it waits, for PostgreSQL perhaps. */
const START_MS = 5_000;

/**
 * The metrics of a process, which are served while it starts and while it stops as well. It tells of its build only in between, so that it
 * does not look like one that cannot reach PostgreSQL before it has read anything.
 */
export interface ServedMetrics {
  /** The service is up. Logs where the metrics are. */
  readonly tellUp: () => void;
  readonly tellStopping: () => void;
}

/**
 * Serves the metrics of a role unless they are off. If the default port is taken, e.g. by another role on this machine, the process runs without
 * metrics. The logger does not exist yet, so the outcome is logged later.
 *
 * @throws when the port was set and cannot be opened.
 */
export async function startMetrics(config: Config, role: Role, check: Service['check']): Promise<ServedMetrics> {
  const { metrics, host } = config;
  if (metrics === undefined) return NO_METRICS;
  declareProcessMetrics();
  try {
    const url = await serveMetrics({
      host: await addressOf(host),
      port: metrics.port,
      isKnownHost: knownHosts(config),
      check,
    });
    const tellBuild = () => build.set({ version: VERSION, role }, 1);
    const starting = setTimeout(tellBuild, START_MS).unref();
    return {
      tellUp: () => {
        clearTimeout(starting);
        tellBuild();
        new Log('Metrics').info('The metrics are served', { url: `${url}/metrics` });
      },
      tellStopping: () => forget(build),
    };
  } catch (error) {
    if (metrics.isGiven) {
      throw new Error(`The metrics cannot be served on port ${metrics.port} (METRICS_PORT): ${String(error)}`, {
        cause: error,
      });
    }
    const problem = 'There are no metrics, because their port is taken: set METRICS_PORT to another one, or to off';
    return { ...NO_METRICS, tellUp: () => new Log('Metrics').warn(problem, { error }) };
  }
}

export const NO_METRICS: ServedMetrics = { tellUp: () => undefined, tellStopping: () => undefined };
