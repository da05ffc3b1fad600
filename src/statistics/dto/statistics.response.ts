import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { COMPLETION_BUCKETS, DURATION_BUCKETS } from '../../telemetry/metrics.js';
import type { Step } from '../minute-statistics.js';
import { PURCHASE_OUTCOMES } from '../process-counts.js';
import { quantile } from '../quantile.js';
import type { StatisticsRange } from './list-statistics.query.js';

/** Precise enough for an estimate from buckets. */
const PRECISION = 1e6;

@ApiSchema({ name: 'PurchaseCounts' })
class PurchaseCountsResponse {
  @ApiProperty({ type: 'integer', example: 1200 })
  sold: number;

  @ApiProperty({ type: 'integer', example: 3, description: 'Refused, because the stock was too small' })
  short: number;

  @ApiProperty({
    type: 'integer',
    example: 0,
    description: 'Refused, because the product or the reservation is not there',
  })
  not_found: number;

  @ApiProperty({ type: 'integer', example: 1, description: 'Refused for anything else' })
  invalid: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Turned away, because too many waited' })
  overloaded: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Failed' })
  unavailable: number;

  @ApiProperty({ type: 'integer', example: 2, description: 'Answered with the outcome of an earlier request' })
  replayed: number;
}

@ApiSchema({ name: 'StatisticsStep' })
class StatisticsStepResponse {
  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.000Z', description: 'Its beginning' })
  at: string;

  @ApiProperty({ example: 60, description: 'How long it was recorded; less than a step while it runs' })
  seconds: number;

  @ApiProperty({ type: PurchaseCountsResponse })
  purchases: PurchaseCountsResponse;

  @ApiProperty({ example: 20, description: 'Sold, a second' })
  purchases_per_second: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 0.008,
    description: 'Time of a purchase, estimated; null without one',
  })
  purchase_p50_seconds: number | null;

  @ApiProperty({ type: 'number', nullable: true, example: 0.024 })
  purchase_p99_seconds: number | null;

  @ApiProperty({ type: 'integer', example: 1190, description: 'Orders' })
  completed: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Orders' })
  failed: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 5.9,
    description: 'From the purchase to the end of its order',
  })
  completion_p99_seconds: number | null;

  @ApiProperty({ type: 'integer', example: 1, description: 'Sales and holds that took the last unit of a product' })
  stock_outs: number;

  @ApiProperty({ type: 'integer', example: 900, description: 'Products that were read from the cache' })
  cache_hits: number;

  @ApiProperty({ type: 'integer', example: 12 })
  cache_misses: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Answers with a status of 500 and above' })
  server_errors: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: 40,
    description: 'Orders that wait for their end, at the end of the step',
  })
  open_orders: number | null;

  @ApiProperty({ type: 'number', nullable: true, example: 4.2, description: 'Age of the oldest of them' })
  oldest_open_age_seconds: number | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { INSUFFICIENT_STOCK: 3 },
    description: 'Responses that were problem details, by their code',
  })
  errors: Readonly<Record<string, number>>;

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 0.1,
    description: 'The largest share of a pool of connections to PostgreSQL that was in use, from 0 to 1',
  })
  pool_usage: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 2, description: 'The fewest workers that were alive' })
  workers_alive: number | null;

  @ApiProperty({
    type: 'boolean',
    nullable: true,
    example: true,
    description: 'Whether the Redis of the queue answered everybody who asked',
  })
  queue_available: boolean | null;

  @ApiProperty({ example: '1.0.0', description: 'Of the process that recorded last; a change of it is a deploy' })
  version: string;
}

@ApiSchema({ name: 'Statistics' })
export class StatisticsResponse {
  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:00:00.000Z' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T11:00:00.000Z' })
  to: string;

  @ApiProperty({ type: 'integer', example: 60, description: 'Seconds' })
  step: number;

  @ApiProperty({ type: [StatisticsStepResponse] })
  items: StatisticsStepResponse[];

  static of({ from, to, step }: StatisticsRange, steps: readonly Step[]): StatisticsResponse {
    return { from: from.toISOString(), to: to.toISOString(), step, items: steps.map(toResponse) };
  }
}

function toResponse(step: Step): StatisticsStepResponse {
  const counts = new Map(PURCHASE_OUTCOMES.map((outcome, index) => [outcome, step.purchases[index] ?? 0]));
  const of = (outcome: (typeof PURCHASE_OUTCOMES)[number]) => counts.get(outcome) ?? 0;
  return {
    at: step.at.toISOString(),
    seconds: rounded(step.seconds) ?? 0,
    purchases: {
      sold: of('sold'),
      short: of('short'),
      not_found: of('not_found'),
      invalid: of('invalid'),
      overloaded: of('overloaded'),
      unavailable: of('unavailable'),
      replayed: of('replayed'),
    },
    purchases_per_second: rounded(of('sold') / Math.max(step.seconds, 1)) ?? 0,
    purchase_p50_seconds: rounded(quantile(0.5, step.purchaseDurations, DURATION_BUCKETS)),
    purchase_p99_seconds: rounded(quantile(0.99, step.purchaseDurations, DURATION_BUCKETS)),
    completed: step.completed,
    failed: step.failed,
    completion_p99_seconds: rounded(quantile(0.99, step.completionDurations, COMPLETION_BUCKETS)),
    stock_outs: step.stockOuts,
    cache_hits: step.cacheHits,
    cache_misses: step.cacheMisses,
    server_errors: step.serverErrors,
    open_orders: step.openOrders,
    oldest_open_age_seconds: step.oldestOpenAgeSeconds === null ? null : rounded(step.oldestOpenAgeSeconds),
    errors: step.errors,
    pool_usage: step.poolUsage === null ? null : rounded(step.poolUsage),
    workers_alive: step.workersAlive,
    queue_available: step.queueAvailable,
    version: step.version,
  };
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * PRECISION) / PRECISION;
}
