import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type JsonNumber, toJsonNumber } from '../../kernel/json-number.js';
import { PageResponse } from '../../http/paging/page.response.js';
import type { LiveProduct } from '../product-row.js';

@ApiSchema({ name: 'Product' })
export class ProductResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  id: number;

  @ApiProperty({ example: 'Mechanical keyboard' })
  name: string;

  @ApiProperty({ type: 'number', example: 89.9 })
  price: JsonNumber;

  @ApiProperty({ type: 'integer', example: 100 })
  stock: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: null,
    description: 'Units that one customer may have, bought and held; null for any number',
  })
  max_per_customer: number | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  updated_at: string;

  static of(product: LiveProduct): ProductResponse {
    return {
      id: product.id,
      name: product.name,
      price: toJsonNumber(product.price),
      stock: product.stock,
      max_per_customer: product.maxPerCustomer,
      created_at: product.createdAt.toISOString(),
      updated_at: product.updatedAt.toISOString(),
    };
  }
}

@ApiSchema({ name: 'ProductPage' })
export class ProductPageResponse extends PageResponse<ProductResponse> {
  @ApiProperty({ type: [ProductResponse] })
  override items: ProductResponse[];
}
