import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { OptionalField } from '../../http/validation/validators.js';
import { type FlashSale, isAsPromised, type SaleSample } from '../flash-sale.js';

export class StartFlashSaleDto {
  @ApiPropertyOptional({ description: 'Kill the worker in the middle; false unless given' })
  @OptionalField()
  @IsBoolean({ message: 'kill_worker must be true or false' })
  readonly kill_worker?: boolean;
}

@ApiSchema({ name: 'FlashSaleSample' })
class SaleSampleResponse implements SaleSample {
  @ApiProperty({ example: 0.05, description: 'Since the first purchase was sent' })
  seconds: number;

  @ApiProperty({ type: 'integer', example: 60, description: 'Units that are left' })
  stock: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Orders that are completed' })
  completed: number;
}

@ApiSchema({ name: 'FlashSale' })
export class FlashSaleResponse {
  @ApiProperty({ enum: ['gathering', 'selling', 'processing', 'auditing', 'finished', 'failed'], example: 'selling' })
  step: FlashSale['step'];

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  started_at: string;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: 1,
    description: 'Made for this sale; null before it is',
  })
  product_id: number | null;

  @ApiProperty({ type: 'integer', example: 500 })
  buyers: number;

  @ApiProperty({ type: 'integer', example: 100 })
  units: number;

  @ApiProperty({ type: 'integer', example: 40 })
  sold: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Purchases for which nothing was left' })
  refused: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Times that a purchase was sent again after a 503' })
  retries: number;

  @ApiProperty({ type: 'integer', example: 0 })
  unanswered: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Orders' })
  completed: number;

  @ApiProperty({ type: 'integer', nullable: true, example: null, description: 'Units that were sold and not there' })
  oversold: number | null;

  @ApiProperty({ type: 'string', enum: ['clean', 'findings', null], nullable: true, example: null })
  audit: FlashSale['audit'];

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: null,
    description: 'From the first purchase to the last answer',
  })
  sale_seconds: number | null;

  @ApiProperty({ type: 'number', nullable: true, example: null, description: 'Of a purchase' })
  p99_seconds: number | null;

  @ApiProperty({ type: 'number', nullable: true, example: null, description: 'When the worker was killed, if it was' })
  worker_killed_seconds: number | null;

  @ApiProperty({ type: 'boolean', nullable: true, example: null, description: 'Null until the end' })
  as_promised: boolean | null;

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'Why it has failed' })
  error: string | null;

  @ApiProperty({ type: [SaleSampleResponse] })
  samples: readonly SaleSampleResponse[];

  static of(sale: FlashSale): FlashSaleResponse {
    const { startedAt, productId, saleSeconds, p99Seconds, workerKilledSeconds, ...same } = sale;
    return {
      ...same,
      started_at: startedAt,
      product_id: productId,
      sale_seconds: saleSeconds,
      p99_seconds: p99Seconds,
      worker_killed_seconds: workerKilledSeconds,
      as_promised: sale.step === 'finished' ? isAsPromised(sale) : null,
    };
  }
}

@ApiSchema({ name: 'FlashSaleStart' })
export class FlashSaleStartResponse {
  @ApiProperty({ enum: ['started'], example: 'started' })
  status: 'started';
}

@ApiSchema({ name: 'FlashSaleList' })
export class FlashSaleListResponse {
  @ApiProperty({ type: [FlashSaleResponse], description: 'The last one, if there was one' })
  items: FlashSaleResponse[];
}
