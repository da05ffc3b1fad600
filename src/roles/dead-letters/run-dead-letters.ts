import { toTextTable } from '../text-table.js';
import type { Config } from '../../config/config.js';
import { DeadLettersRootModule } from './dead-letters-root.module.js';
import { type DeadLetter, DeadLettersService } from '../../orders/dead-letters/dead-letters.service.js';
import { runCommand } from '../run-command.js';

/** Shows the orders that are left to an operator, and with `redrive` dispatches all of them again. The exit status is 1 when some are left. */
export async function runDeadLetters(config: Config, { redrive }: { redrive: boolean }): Promise<number> {
  return runCommand(config, DeadLettersRootModule.forRoot(config), async (app) => {
    const service = app.get(DeadLettersService);
    const letters = await service.list();
    process.stdout.write(`${reportOf(letters)}\n`);
    if (!redrive) return letters.length === 0 ? 0 : 1;
    process.stdout.write(`${await service.redrive(letters)} orders were dispatched again\n`);
    return 0;
  });
}

function reportOf(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'There are no dead letters';
  const rows = letters.map(({ orderId, attempts, failedAt, reason }) => [
    String(orderId),
    String(attempts),
    failedAt.toISOString(),
    reason,
  ]);
  return toTextTable([['order', 'attempts', 'failed at', 'reason'], ...rows]);
}
