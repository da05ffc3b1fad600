import { Injectable, Logger } from '@nestjs/common';
import type pg from 'pg';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { connectForAudit } from './audit-connection.js';
import { AUDIT } from './audit-statement.js';
import { type AuditRun, type Example, type Finding, FINDINGS, type FindingName } from './audit-run.js';

interface Row extends Example {
  readonly finding: string;
  readonly count: number;
}

/** Runs that are kept: of a year, when one is made each night. */
const KEPT_RUNS = 400;

const LAST_RUN = `
  SELECT started_at AS "startedAt", finished_at AS "finishedAt", products, orders, movements, findings
  FROM audit_runs ORDER BY id DESC LIMIT 1`;

/** Finds out whether stock, ledger and orders agree. */
@Injectable()
export class AuditService {
  private readonly logger = new Logger(AuditService.name);
  private running: pg.Client | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly config: Config,
    @InjectDataSource(READS) private readonly reads: DataSource,
  ) {}

  /**
   * Compares everything with everything, keeps what it finds, and returns it. It blocks nobody, and takes a minute for ten
   * million movements.
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
      this.logger.error(`The audit found ${finding}, ${count} times: ${FINDINGS[finding]}`);
    }
    return kept;
  }

  /** The last run; `undefined` when there was none. */
  async last(): Promise<AuditRun | undefined> {
    const [run] = await readPrepared<AuditRun>(this.reads, { name: 'last-audit', text: LAST_RUN });
    return run;
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
      await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { rows } = await client.query<Row>(AUDIT);
      const sizeOf = (name: string) => rows.find(({ finding }) => finding === name)?.count ?? 0;
      return {
        startedAt,
        products: sizeOf('products'),
        orders: sizeOf('orders'),
        movements: sizeOf('movements'),
        findings: findingsIn(rows),
      };
    } finally {
      this.running = undefined;
      await client.end();
    }
  }
}

function findingsIn(rows: readonly Row[]): Finding[] {
  const found = Object.groupBy(rows, ({ finding }) => finding);
  return Object.keys(FINDINGS)
    .filter(isFinding)
    .flatMap((finding) => {
      const examples = found[finding] ?? [];
      const [first] = examples;
      if (first === undefined) return [];
      return {
        finding,
        count: first.count,
        examples: examples.map(toExample),
      };
    });
}

function toExample({ product_id, order_id, reservation_id, expected, found }: Row): Example {
  return { product_id, order_id, reservation_id, expected, found };
}

function isFinding(name: string): name is FindingName {
  return name in FINDINGS;
}
