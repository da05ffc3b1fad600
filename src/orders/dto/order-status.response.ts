import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ORDER_STATUSES, type OrderStatus } from '../order-status.js';
import type { Order } from '../order.entity.js';

@ApiSchema({ name: 'OrderStatus' })
export class OrderStatusResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 7 })
  order_id: number;

  @ApiProperty({ enum: ORDER_STATUSES, example: 'processing' })
  status: OrderStatus;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.456Z' })
  updated_at: string;

  static of({ id, status, createdAt, updatedAt }: Order): OrderStatusResponse {
    return { order_id: id, status, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() };
  }
}
