import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { OrderEventResponse } from '../../orders/dto/order-event.response.js';

@ApiSchema({ name: 'EventPage' })
export class EventPageResponse {
  @ApiProperty({ type: [OrderEventResponse], description: 'Of all orders, in the order of their ids' })
  items: OrderEventResponse[];

  @ApiProperty({
    description: 'The place behind the last of them: `after` of the next request',
    example: 'ZTRhN2Y5Li4u',
  })
  next: string;
}
