import { Injectable } from '@nestjs/common';
import { Log } from '../runtime/log.js';
import type pg from 'pg';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { connectForAudit } from './audit-connection.js';
import { AUDIT, MAX_EXAMPLES } from './audit-statement.js';
import { type AuditRun, type Example, type Finding, FINDINGS, type FindingName } from './audit-run.js';

interface Row extends Example {
  readonly finding: string;
  readonly count: number;
}

/** Runs that are kept: of a year, when one is made each night. */
export const KEPT_RUNS = 400;

const LAST_RUNS = `
  SELECT started_at AS "startedAt", finished_at AS "finishedAt", products, orders, movements, findings
  FROM audit_runs ORDER BY id DESC LIMIT $1`;

/** Finds out whether stock, ledger and orders agree. */
@Injectable()
export class AuditService {
  private readonly logger = new Log(AuditService.name);
  private running: pg.Client | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly config: Config,
    @InjectDataSource(READS) private readonly reads: DataSource,
  ) {}

  /**
   * Compares everything with everything, keeps what it finds, and returns it. It blocks nobody. A large ledger is looked at in slices,
   * each at one moment of its own, so that PostgreSQL can clean up meanwhile.
   */
  async run(): Promise<AuditRun> {
    const run = await this.audit();
    const [kept] = await this.dataSource.query<AuditRun[]>(
      `WITH forgotten AS (DELETE FROM audit_runs WHERE id <= (SELECT max(id) - ${KEPT_RUNS} FROM audit_runs))
       INSERT INTO audit_runs (started_at, products, orders, movements, findings) VALUES ($1, $2, $3, $4, $5)
       RETURNING started_at AS "startedAt", finished_at AS "finishedAt", products, orders, movements, findings`,
      [run.startedAt, run.products, run.orders, run.movements, JSON.stringify(run.findings)],
    );
    if (kept === undefined) throw new Error('PostgreSQL did not keep the audit');
    for (const { finding, count } of kept.findings) {
      this.logger.error('The audit has findings', { finding, count, meaning: FINDINGS[finding] });
    }
    return kept;
  }

  /** The last run; `undefined` when there was none. */
  async last(): Promise<AuditRun | undefined> {
    const [run] = await this.list(1);
    return run;
  }

  /** The last runs, newest first. */
  async list(limit: number): Promise<AuditRun[]> {
    return readPrepared<AuditRun>(this.reads, { name: 'last-audits', text: LAST_RUNS, values: [limit] });
  }

  /** Ends a running audit, which fails. */
  async cancel(): Promise<void> {
    await this.running?.end();
  }

  private async audit(): Promise<Omit<AuditRun, 'finishedAt'>> {
    const startedAt = new Date();
    const client = await connectForAudit(this.config.database.url);
    this.running = client;
    try {
      const count = await countSlices(client);
      const slices: Row[][] = [];
      for (let slice = 0; slice < count; slice++) {
        slices.push((await client.query<Row>(AUDIT, [count, slice])).rows);
      }
      return {
        startedAt,
        products: countOf(slices, 'products'),
        orders: countOf(slices, 'orders'),
        movements: countOf(slices, 'movements'),
        findings: findingsIn(slices),
      };
    } finally {
      this.running = undefined;
      await client.end();
    }
  }
}

async function countSlices(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ slices: number }>(
    `SELECT ceil(pg_relation_size('stock_movements') / $1::numeric)::integer AS slices`,
    [LIMITS.auditSliceBytes],
  );
  return Math.max(rows[0]?.slices ?? 1, 1);
}

/** Each row of a slice tells how many of its kind the slice has. */
function countOf(slices: readonly Row[][], name: string): number {
  return slices.reduce((sum, rows) => sum + (rows.find(({ finding }) => finding === name)?.count ?? 0), 0);
}

function findingsIn(slices: readonly Row[][]): Finding[] {
  const found = Object.groupBy(slices.flat(), ({ finding }) => finding);
  return Object.keys(FINDINGS)
    .filter(isFinding)
    .flatMap((finding) => {
      const rows = found[finding] ?? [];
      if (rows.length === 0) return [];
      const examples = rows.sort(byPlace).slice(0, MAX_EXAMPLES).map(toExample);
      return { finding, count: countOf(slices, finding), examples };
    });
}

/** As PostgreSQL sorts them: what is missing comes last. */
function byPlace(a: Row, b: Row): number {
  const columns = ['product_id', 'order_id', 'reservation_id'] as const;
  const [differing] = columns.filter((column) => a[column] !== b[column]);
  if (differing === undefined) return 0;
  return (a[differing] ?? Number.MAX_SAFE_INTEGER) - (b[differing] ?? Number.MAX_SAFE_INTEGER);
}

function toExample({ product_id, order_id, reservation_id, expected, found }: Row): Example {
  return { product_id, order_id, reservation_id, expected, found };
}

function isFinding(name: string): name is FindingName {
  return name in FINDINGS;
}
