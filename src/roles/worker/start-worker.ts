import type { Config } from '../../config/config.js';
import { gatewayOf, loadPlugins } from '../plugins.js';
import type { Service } from '../service.js';
import { createWorker } from './create-worker.js';

/** Works on orders, with the gateway and the subscribers of the plug-ins. */
export async function startWorker(config: Config): Promise<Service> {
  const { worker: imports, fulfilment, subscribers } = await loadPlugins(config);
  const gateway = fulfilment === undefined ? undefined : await gatewayOf(fulfilment, config);
  return createWorker(config, { imports, fulfilment: gateway, subscribers });
}
