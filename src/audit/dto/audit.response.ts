import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type AuditRun, type Example, type Finding, type FindingName, FINDINGS } from '../audit-run.js';

@ApiSchema({ name: 'AuditExample' })
export class AuditExampleResponse implements Example {
  @ApiProperty({ type: 'integer', format: 'int64', nullable: true, example: 1 })
  product_id: number | null;

  @ApiProperty({ type: 'integer', format: 'int64', nullable: true, example: 7 })
  order_id: number | null;

  @ApiProperty({ type: 'integer', format: 'int64', nullable: true, example: null })
  reservation_id: number | null;

  @ApiProperty({ type: 'integer', example: 2, description: 'Units that should be there' })
  expected: number;

  @ApiProperty({ type: 'integer', example: 1, description: 'Units that are' })
  found: number;
}

@ApiSchema({ name: 'AuditFinding' })
export class AuditFindingResponse implements Finding {
  @ApiProperty({ enum: Object.keys(FINDINGS), example: 'ITEM_WITHOUT_SALE' })
  finding: FindingName;

  @ApiProperty({ example: FINDINGS.ITEM_WITHOUT_SALE })
  meaning: string;

  @ApiProperty({ type: 'integer', minimum: 1, example: 1 })
  count: number;

  @ApiProperty({ type: [AuditExampleResponse], description: 'The first of them' })
  examples: readonly AuditExampleResponse[];
}

@ApiSchema({ name: 'Audit' })
export class AuditResponse {
  @ApiProperty({ enum: ['clean', 'findings', 'never_run'], example: 'clean' })
  status: 'clean' | 'findings' | 'never_run';

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: '2026-01-15T03:00:00.123Z' })
  started_at: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: '2026-01-15T03:00:05.456Z' })
  finished_at: string | null;

  @ApiProperty({ type: 'integer', example: 1_000, description: 'Looked at' })
  products: number;

  @ApiProperty({ type: 'integer', example: 10_000 })
  orders: number;

  @ApiProperty({ type: 'integer', example: 12_000 })
  movements: number;

  @ApiProperty({ type: [AuditFindingResponse] })
  findings: AuditFindingResponse[];

  static of(run: AuditRun | undefined): AuditResponse {
    if (run === undefined) {
      const nothing = { products: 0, orders: 0, movements: 0, findings: [] };
      return { status: 'never_run', started_at: null, finished_at: null, ...nothing };
    }
    const { startedAt, finishedAt, products, orders, movements, findings } = run;
    return {
      status: findings.length === 0 ? 'clean' : 'findings',
      started_at: startedAt.toISOString(),
      finished_at: finishedAt.toISOString(),
      products,
      orders,
      movements,
      findings: findings.map((found) => ({ ...found, meaning: FINDINGS[found.finding] })),
    };
  }
}

@ApiSchema({ name: 'AuditRequest' })
export class AuditRequestResponse {
  @ApiProperty({ enum: ['requested'], example: 'requested' })
  status: 'requested';
}

@ApiSchema({ name: 'AuditList' })
export class AuditListResponse {
  @ApiProperty({ type: [AuditResponse] })
  items: AuditResponse[];
}
