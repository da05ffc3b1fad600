import type { Config } from '../../config/config.js';
import { gatewayOf, loadPlugins } from '../plugins.js';
import { ReadinessService } from '../../health/readiness.service.js';
import type { Service } from '../service.js';
import { createWorker } from './create-worker.js';

/** Works on orders, with the gateway and the subscribers of the plug-ins. */
export async function startWorker(config: Config): Promise<Service> {
  const { worker: imports, fulfilment, subscribers } = await loadPlugins(config);
  const gateway = fulfilment === undefined ? undefined : await gatewayOf(fulfilment, config);
  const app = await createWorker(config, { imports, fulfilment: gateway, subscribers });
  return {
    check: async () => app.get(ReadinessService, { strict: false }).check(),
    close: async () => app.close(),
  };
}
