import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type JsonNumber, toJsonNumber } from '../../kernel/json-number.js';
import { PageResponse } from '../../http/paging/page.response.js';
import type { OrderItem } from '../order-item.entity.js';
import { ORDER_STATUSES, type OrderStatus } from '../order-status.js';
import type { Order } from '../order.entity.js';

@ApiSchema({ name: 'OrderItem' })
export class OrderItemResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  product_id: number;

  @ApiProperty({ type: 'integer', minimum: 1, example: 2 })
  quantity: number;

  @ApiProperty({ type: 'number', example: 89.9, description: 'At the moment of purchase' })
  unit_price: JsonNumber;

  @ApiProperty({ type: 'number', example: 179.8 })
  line_total: JsonNumber;

  static of({ productId, quantity, unitPrice }: OrderItem): OrderItemResponse {
    return {
      product_id: productId,
      quantity,
      unit_price: toJsonNumber(unitPrice),
      line_total: toJsonNumber(unitPrice * BigInt(quantity)),
    };
  }
}

@ApiSchema({ name: 'Order' })
export class OrderResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 7 })
  id: number;

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: 1,
    description: '`null` when there are several products',
  })
  product_id: number | null;

  @ApiProperty({ type: 'integer', example: 2, description: 'All units together' })
  quantity: number;

  @ApiProperty({ type: 'number', example: 179.8 })
  total_price: JsonNumber;

  @ApiProperty({ enum: ORDER_STATUSES, example: 'pending' })
  status: OrderStatus;

  @ApiProperty({ type: 'string', nullable: true, example: null, description: "The shop's own id of the buyer" })
  customer_ref: string | null;

  @ApiProperty({ type: [OrderItemResponse], description: 'By product id, ascending' })
  items: OrderItemResponse[];

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  updated_at: string;

  static of({ id, totalPrice, status, customerRef, items, createdAt, updatedAt }: Order): OrderResponse {
    const [first, second] = items;
    return {
      id,
      product_id: first === undefined || second !== undefined ? null : first.productId,
      quantity: items.reduce((sum, item) => sum + item.quantity, 0),
      total_price: toJsonNumber(totalPrice),
      status,
      customer_ref: customerRef,
      items: items.toSorted((a, b) => a.productId - b.productId).map((item) => OrderItemResponse.of(item)),
      created_at: createdAt.toISOString(),
      updated_at: updatedAt.toISOString(),
    };
  }
}

@ApiSchema({ name: 'OrderPage' })
export class OrderPageResponse extends PageResponse<OrderResponse> {
  @ApiProperty({ type: [OrderResponse] })
  override items: OrderResponse[];
}
