import { once } from 'node:events';
import { AuditService } from '../../audit/audit.service.js';
import type { Config } from '../../config/config.js';
import { holdFlashSale } from '../../demo/flash-sale-program.js';
import { AuditRootModule } from '../audit/audit-root.module.js';
import { API_PREFIX } from '../../http/api-prefix.js';
import { PatientClient } from '../../demo/patient-client.js';
import { runCommand } from '../run-command.js';

/**
 * The buyers of a flash sale, as a process of their own that the API starts. It tells the API of the sale by messages.
 *
 * @param address of the API, without its base path.
 */
export async function runFlashSale(config: Config, address: string | undefined): Promise<number> {
  if (address === undefined || process.send === undefined) {
    throw new Error('The API starts this by itself: npm run demo, or the button of the console');
  }
  const authorization = await authorizationOf(process);
  // Without the API there is nothing to sell.
  process.once('disconnect', () => process.exit(1));
  return runCommand(config, AuditRootModule.forRoot(config), async (app) => {
    await holdFlashSale({
      api: new PatientClient(`${address}${API_PREFIX}`, authorization),
      audit: async () => (await app.get(AuditService).run()).findings.length === 0,
      onProgress: (sale) => process.send?.(sale),
    });
    return 0;
  });
}

/** The API tells by its first message how the buyers are let in. */
async function authorizationOf(process: NodeJS.Process): Promise<string | undefined> {
  const told: unknown[] = await once(process, 'message');
  const [message] = told;
  if (typeof message !== 'object' || message === null || !('authorization' in message)) return undefined;
  return String(message.authorization);
}
