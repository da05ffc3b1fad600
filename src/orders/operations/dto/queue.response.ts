import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { QueueDepth } from '../order-queues.js';

@ApiSchema({ name: 'Queue' })
class QueueResponse {
  @ApiProperty({ example: 'orders', description: '`hand-over` has a job for up to 50 orders, `orders` one for each' })
  name: string;

  @ApiProperty({ type: 'integer', example: 120 })
  waiting: number;

  @ApiProperty({ type: 'integer', example: 50 })
  active: number;

  @ApiProperty({ type: 'integer', example: 2, description: 'Wait for their next attempt' })
  delayed: number;

  @ApiProperty({
    type: 'integer',
    example: 0,
    description: 'Are kept for the dashboard; `/ops/dead-letters` has those that need somebody',
  })
  failed: number;
}

@ApiSchema({ name: 'QueueList' })
export class QueueListResponse {
  @ApiProperty({ type: [QueueResponse] })
  items: QueueResponse[];

  static of(depths: readonly QueueDepth[]): QueueListResponse {
    return { items: depths.map(({ name, jobs }) => ({ name, ...jobs })) };
  }
}
