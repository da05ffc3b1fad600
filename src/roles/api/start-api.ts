import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import { ReadinessService } from '../../health/readiness.service.js';
import { Stopping } from '../../health/stopping.js';
import { Listeners } from '../../http/connections/listeners.js';
import { loadPlugins } from '../plugins.js';
import { addressOf, type Service } from '../service.js';
import { createApi } from './create-api.js';

/** Serves the API. When it closes, it is not ready for `SHUTDOWN_DELAY_MS` first, so that load balancers send clients elsewhere. */
export async function startApi(config: Config): Promise<Service> {
  const { api } = await loadPlugins(config);
  const app = await createApi(config, { imports: api });
  const listeners = new Listeners(app.getHttpAdapter().getInstance());
  const place = { host: await addressOf(config.host), port: config.port };
  await listeners.listen(place, async (options) => app.listen(options));
  return {
    url: await app.getUrl(),
    check: async () => app.get(ReadinessService, { strict: false }).check(),
    close: async () => {
      app.get(Stopping, { strict: false }).begin();
      await delay(config.shutdownDelayMs);
      await app.close();
    },
  };
}
