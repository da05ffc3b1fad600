import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Caller } from '../../kernel/access/caller.js';
import { ORDER_EVENT_TYPES, type OrderEvent, type OrderEventType } from '../history/order-event.js';
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
    description:
      'Of the request that has caused it; null for what a worker did, and for a customer unless it was its own',
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

  /** @param caller who sees it, if it is shown to one. */
  static of(event: OrderEvent, caller?: Caller): OrderEventResponse {
    const { orderId, requestId, jobId, createdAt, ...same } = caller === undefined ? event : shownTo(caller, event);
    return { ...same, order_id: orderId, request_id: requestId, job_id: jobId, created_at: createdAt.toISOString() };
  }
}

/** A customer is not told who of the shop has done something, by which request or job, and in which words a provider has failed. */
function shownTo({ actor, customerRef }: Caller, event: OrderEvent): OrderEvent {
  if (customerRef === null) return event;
  const cause = event.status === 'failed' ? 'failed' : event.cause;
  const own = event.actor === actor ? event : { actor: null, requestId: null };
  return { ...event, actor: own.actor, requestId: own.requestId, jobId: null, cause };
}

@ApiSchema({ name: 'OrderEvents' })
export class OrderEventsResponse {
  @ApiProperty({ type: [OrderEventResponse], description: 'From its beginning' })
  items: OrderEventResponse[];
}
