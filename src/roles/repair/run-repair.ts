import { createInterface } from 'node:readline/promises';
import { LedgerRepairService } from '../../audit/ledger-repair.service.js';
import type { Config } from '../../config/config.js';
import type { WrongLedger } from '../../audit/audit-statement.js';
import { MAX_REASON_LENGTH } from '../../stock/stock-ledger.js';
import { AuditRootModule } from '../audit/audit-root.module.js';
import { runCommand } from '../run-command.js';
import { toTextTable } from '../text-table.js';

export interface RepairOptions {
  /** Stands in the ledger with each correction. */
  readonly reason: string | undefined;
  /** Write without asking. */
  readonly yes: boolean;
}

/**
 * Shows the ledgers that are wrong, and writes a correction for each when somebody agrees. The exit status is 0 when none is left, and 1
 * when nothing was written.
 */
export async function runRepair(config: Config, { reason = '', yes }: RepairOptions): Promise<number> {
  if (reason.trim() === '' || reason.length > MAX_REASON_LENGTH) {
    throw new Error(`Say why, for the ledger: --reason "…", of at most ${MAX_REASON_LENGTH} characters`);
  }
  return runCommand(config, AuditRootModule.forRoot(config), async (app) => {
    const service = app.get(LedgerRepairService);
    const wrong = await service.find();
    process.stdout.write(`${reportOf(wrong)}\n`);
    if (wrong.length === 0) return 0;
    if (!yes && !(await isAgreed())) {
      process.stdout.write('Nothing was written. With --yes the corrections are written\n');
      return 1;
    }
    const written = await service.repair(
      wrong.map(({ productId }) => productId),
      reason,
    );
    process.stdout.write(`${written.length} corrections were written; run the audit again to see that all agrees\n`);
    return 0;
  });
}

async function isAgreed(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal
    .question('Write these corrections into the ledger? [y/N] ')
    .finally(() => terminal.close());
  return /^y(es)?$/i.test(answer.trim());
}

function reportOf(wrong: readonly WrongLedger[]): string {
  if (wrong.length === 0) return 'No ledger is wrong: there is nothing to correct';
  const rows = wrong.map(({ productId, stock, units, broken }) =>
    [productId, stock, units, broken, stock - units].map(String),
  );
  const heads = ['product', 'stock', 'ledger', 'broken movements', 'correction'];
  return `${toTextTable([heads, ...rows])}\n\nA correction makes the ledger tell the stock that is there. It changes no stock: adjust it afterwards, if it was counted otherwise`;
}
