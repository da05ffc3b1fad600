import { ApiExtraModels, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsObject, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { IsId, IsIntegerBetween, OptionalField } from '../../http/validation/validators.js';
import { MAX_QUANTITY, type RequestedItem } from '../../stock/requested-item.js';

export const MAX_ITEMS = 100;

export class CreateOrderItemDto {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  @IsId()
  readonly product_id: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_QUANTITY, default: 1, example: 2 })
  @IsIntegerBetween(1, MAX_QUANTITY)
  readonly quantity: number = 1;
}

/** An order of one product (`product_id`, `quantity`), of several (`items`), or of what is held (`reservation_id`): one of the three. */
@ApiExtraModels(CreateOrderItemDto)
export class CreateOrderDto {
  @ApiPropertyOptional({
    type: 'integer',
    format: 'int64',
    example: 1,
    description: 'Required without `items` and `reservation_id`',
  })
  @ValidateIf(
    ({ items, reservation_id, product_id }: CreateOrderDto) =>
      product_id !== undefined || (items === undefined && reservation_id === undefined),
  )
  @IsId()
  readonly product_id?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_QUANTITY, default: 1, example: 2 })
  @OptionalField()
  @IsIntegerBetween(1, MAX_QUANTITY)
  readonly quantity?: number;

  @ApiPropertyOptional({
    type: [CreateOrderItemDto],
    minItems: 1,
    maxItems: MAX_ITEMS,
    description: 'Several products, all or none; items of the same product are added up',
  })
  @OptionalField()
  @IsAlone()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_ITEMS)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CreateOrderItemDto)
  readonly items?: CreateOrderItemDto[];

  @ApiPropertyOptional({
    type: 'integer',
    format: 'int64',
    example: 3,
    description: 'What is held for a checkout becomes the order',
  })
  @OptionalField()
  @IsAlone()
  @IsId()
  readonly reservation_id?: number;
}

/** Reads both forms of the body as one. */
export function requestedItemsOf({ product_id, quantity, items }: CreateOrderDto): RequestedItem[] {
  if (items !== undefined) return items.map((item) => ({ productId: item.product_id, quantity: item.quantity }));
  return product_id === undefined ? [] : [{ productId: product_id, quantity: quantity ?? 1 }];
}

function IsAlone(): PropertyDecorator {
  return ValidateBy({
    name: 'isAlone',
    validator: {
      validate: (_value, argument) => {
        const order: Partial<CreateOrderDto> = argument?.object ?? {};
        const isOther = argument?.property === 'items' ? order.reservation_id === undefined : order.items === undefined;
        return order.product_id === undefined && order.quantity === undefined && isOther;
      },
      defaultMessage: (argument) =>
        argument?.property === 'items'
          ? 'items must not be combined with product_id, quantity or reservation_id'
          : 'reservation_id must not be combined with product_id, quantity or items',
    },
  });
}
