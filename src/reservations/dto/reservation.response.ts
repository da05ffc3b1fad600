import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type Reservation, RESERVATION_STATUSES, type ReservationStatus } from '../reservation.js';

@ApiSchema({ name: 'ReservationItem' })
export class ReservationItemResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  product_id: number;

  @ApiProperty({ type: 'integer', minimum: 1, example: 2 })
  quantity: number;
}

@ApiSchema({ name: 'Reservation' })
export class ReservationResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 3 })
  id: number;

  @ApiProperty({ enum: RESERVATION_STATUSES, example: 'held' })
  status: ReservationStatus;

  @ApiProperty({ type: [ReservationItemResponse], description: 'By product id, ascending' })
  items: ReservationItemResponse[];

  @ApiProperty({ type: 'string', nullable: true, example: null, description: "The shop's own id of the buyer" })
  customer_ref: string | null;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: null,
    description: 'The order that it has become',
  })
  order_id: number | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:45:00.123Z' })
  expires_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  updated_at: string;

  static of({
    id,
    status,
    items,
    customerRef,
    orderId,
    expiresAt,
    createdAt,
    updatedAt,
  }: Reservation): ReservationResponse {
    return {
      id,
      status,
      items: items
        .toSorted((a, b) => a.productId - b.productId)
        .map(({ productId, quantity }) => ({ product_id: productId, quantity })),
      customer_ref: customerRef,
      order_id: orderId,
      expires_at: expiresAt.toISOString(),
      created_at: createdAt.toISOString(),
      updated_at: updatedAt.toISOString(),
    };
  }
}
