import { AuditRootModule } from './audit-root.module.js';
import { type AuditRun, FINDINGS } from '../../audit/audit-run.js';
import { AuditService } from '../../audit/audit.service.js';
import { toTextTable } from '../text-table.js';
import type { Config } from '../../config/config.js';
import { runCommand } from '../run-command.js';

/** Audits once and prints what is off; gives the exit status: 0 when all agrees, 1 when something is off. */
export async function runAudit(config: Config): Promise<number> {
  return runCommand(config, AuditRootModule.forRoot(config), async (app) => {
    const run = await app.get(AuditService).run();
    process.stdout.write(`${reportOf(run)}\n`);
    return run.findings.length === 0 ? 0 : 1;
  });
}

function reportOf({ startedAt, finishedAt, products, orders, movements, findings }: AuditRun): string {
  const seconds = ((finishedAt.getTime() - startedAt.getTime()) / 1_000).toFixed(1);
  const looked = `${products} products, ${orders} orders and ${movements} stock movements were compared in ${seconds} s`;
  if (findings.length === 0) return `✓ ${looked}: all agree`;
  const rows = findings.flatMap(({ finding, examples }) =>
    examples.map(({ product_id, order_id, reservation_id, expected, found }) =>
      [finding, product_id ?? '', order_id ?? '', reservation_id ?? '', expected, found].map(String),
    ),
  );
  const table = toTextTable([['finding', 'product', 'order', 'reservation', 'expected', 'found'], ...rows]);
  const sums = findings.map(({ finding, count }) => `${finding}: ${count} in all; ${FINDINGS[finding]}`);
  return [`✗ ${looked}: not all agree`, '', table, '', ...sums].join('\n');
}
