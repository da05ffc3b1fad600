import type { Config } from '../../config/config.js';
import { addressOf, type Service } from '../service.js';
import { createDashboard } from './create-dashboard.js';

/** Serves the queue dashboard. */
export async function startDashboard(config: Config): Promise<Service> {
  const app = await createDashboard(config);
  await app.listen(config.dashboard.port, await addressOf(config.host));
  return { url: await app.getUrl(), close: () => app.close() };
}
