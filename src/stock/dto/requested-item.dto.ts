import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsObject, ValidateNested } from 'class-validator';
import { IsId, IsIntegerBetween } from '../../http/validation/validators.js';
import { MAX_ITEMS, MAX_QUANTITY, type RequestedItem } from '../requested-item.js';

/** Documents a quantity that may be left out. */
export const QUANTITY = {
  type: 'integer',
  minimum: 1,
  maximum: MAX_QUANTITY,
  description: '1 unless given',
} as const;

@ApiSchema({ name: 'RequestedItem' })
export class RequestedItemDto {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  @IsId()
  readonly product_id: number;

  @ApiPropertyOptional({ ...QUANTITY, example: 2 })
  @IsIntegerBetween(1, MAX_QUANTITY)
  readonly quantity: number = 1;
}

/** Validates the items of an order or a reservation. */
export function AreRequestedItems(): PropertyDecorator {
  return applyDecorators(
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(MAX_ITEMS),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
    Type(() => RequestedItemDto),
  );
}

export function toRequestedItem({ product_id: productId, quantity }: RequestedItemDto): RequestedItem {
  return { productId, quantity };
}
