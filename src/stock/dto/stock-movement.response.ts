import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { MOVEMENT_KINDS, type StockMovement } from '../movements/stock-movement.js';

@ApiSchema({ name: 'StockMovement' })
export class StockMovementResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 12 })
  id: number;

  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  product_id: number;

  @ApiProperty({ enum: MOVEMENT_KINDS, example: 'sale' })
  kind: StockMovement['kind'];

  @ApiProperty({ type: 'integer', example: -2, description: 'Units, negative when they left' })
  quantity: number;

  @ApiProperty({ type: 'integer', example: 98 })
  stock_after: number;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: 7,
    description: 'Of a sale, and of its release',
  })
  order_id: number | null;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: null,
    description: 'Of a hold, and of its release',
  })
  reservation_id: number | null;

  @ApiProperty({ type: 'string', nullable: true, example: null })
  reason: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: 'key:12',
    description: 'Who has asked for it; null for what a worker did, and where nobody is asked who they are',
  })
  actor: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: '0191a1b2-7c1d-7e3a-9f00-2b5d1c3e4f5a',
    description: 'Of the request that has asked for it',
  })
  request_id: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  static of({
    productId,
    stockAfter,
    orderId,
    reservationId,
    requestId,
    createdAt,
    ...same
  }: StockMovement): StockMovementResponse {
    return {
      ...same,
      product_id: productId,
      stock_after: stockAfter,
      order_id: orderId,
      reservation_id: reservationId,
      request_id: requestId,
      created_at: createdAt.toISOString(),
    };
  }
}

@ApiSchema({ name: 'StockMovements' })
export class StockMovementsResponse {
  @ApiProperty({ type: [StockMovementResponse], description: 'The newest first' })
  items: StockMovementResponse[];

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: null,
    description: 'What to give as `before` for the next page; `null` on the last one',
  })
  next: number | null;
}
