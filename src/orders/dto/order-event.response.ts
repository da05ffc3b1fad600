import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ORDER_EVENT_TYPES, type OrderEvent, type OrderEventType } from '../order-event.js';
import { ORDER_STATUSES, type OrderStatus } from '../order-status.js';

@ApiSchema({ name: 'OrderEvent' })
export class OrderEventResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 12 })
  id: number;

  @ApiProperty({ enum: ORDER_EVENT_TYPES, example: 'order.processing' })
  type: OrderEventType;

  @ApiProperty({ type: 'integer', format: 'int64', example: 7 })
  order_id: number;

  @ApiProperty({ type: 'integer', minimum: 1, example: 2, description: 'Counts 1, 2, … in an order' })
  sequence: number;

  @ApiProperty({ enum: ORDER_STATUSES, example: 'processing', description: '`processing` once for each attempt' })
  status: OrderStatus;

  @ApiProperty({ example: 'attempt 1' })
  cause: string;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: '0191a1b2-7c1d-7e3a-9f00-2b5d1c3e4f5a',
    description: 'Of the request that has caused it; null for what a worker did',
  })
  request_id: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: 'key:12',
    description: 'Who has sent it; null where nobody is asked',
  })
  actor: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: null,
    description: 'The job in which a worker has claimed the order; null for all other events',
  })
  job_id: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  static of({ orderId, requestId, jobId, createdAt, ...same }: OrderEvent): OrderEventResponse {
    return { ...same, order_id: orderId, request_id: requestId, job_id: jobId, created_at: createdAt.toISOString() };
  }
}

@ApiSchema({ name: 'OrderEvents' })
export class OrderEventsResponse {
  @ApiProperty({ type: [OrderEventResponse], description: 'From its beginning' })
  items: OrderEventResponse[];
}
