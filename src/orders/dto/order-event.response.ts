import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { OrderEvent } from '../order-event.js';
import { ORDER_STATUSES, type OrderStatus } from '../order-status.js';

@ApiSchema({ name: 'OrderEvent' })
export class OrderEventResponse {
  @ApiProperty({ enum: ORDER_STATUSES, example: 'processing', description: '`processing` once for each attempt' })
  status: OrderStatus;

  @ApiProperty({ example: 'attempt 1' })
  cause: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  static of({ status, cause, createdAt }: OrderEvent): OrderEventResponse {
    return { status, cause, created_at: createdAt.toISOString() };
  }
}

@ApiSchema({ name: 'OrderEvents' })
export class OrderEventsResponse {
  @ApiProperty({ type: [OrderEventResponse], description: 'From its beginning' })
  items: OrderEventResponse[];
}
