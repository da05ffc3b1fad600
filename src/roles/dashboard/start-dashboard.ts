import { LIMITS } from '../../config/limits.js';
import { QueueConnection } from '../../queue/queue-connection.js';
import { withDeadline } from '../../runtime/deadline.js';
import type { Config } from '../../config/config.js';
import { addressOf, type Service } from '../service.js';
import { createDashboard } from './create-dashboard.js';

/** Serves the queue dashboard. */
export async function startDashboard(config: Config): Promise<Service> {
  const app = await createDashboard(config);
  await app.listen(config.dashboard.port, await addressOf(config.host));
  const queue = app.get(QueueConnection, { strict: false });
  return {
    url: await app.getUrl(),
    close: () => app.close(),
    check: async () => ({ status: await readinessOf(queue) }),
  };
}

/** Without the queue's Redis it has nothing to show. */
async function readinessOf({ client }: QueueConnection): Promise<'ready' | 'not_ready'> {
  return withDeadline(client.ping(), LIMITS.readinessMs).then(
    () => 'ready',
    () => 'not_ready',
  );
}
