import { AuditService } from '../../audit/audit.service.js';
import type { Config } from '../../config/config.js';
import { holdFlashSale } from '../../demo/flash-sale-program.js';
import { AuditRootModule } from '../audit/audit-root.module.js';
import { API_PREFIX } from '../../http/api-prefix.js';
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
  // Without the API there is nothing to sell.
  process.once('disconnect', () => process.exit(1));
  return runCommand(config, AuditRootModule.forRoot(config), async (app) => {
    await holdFlashSale({
      api: `${address}${API_PREFIX}`,
      audit: async () => (await app.get(AuditService).run()).findings.length === 0,
      onProgress: (sale) => process.send?.(sale),
    });
    return 0;
  });
}
