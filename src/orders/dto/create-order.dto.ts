import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiProperty, ApiPropertyOptional, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { ValidateBy, ValidateIf } from 'class-validator';
import { CUSTOMER_REF, IsCustomerRef } from '../../http/validation/customer-ref.decorator.js';
import { IsId, IsIntegerBetween, OptionalField } from '../../http/validation/validators.js';
import { AreRequestedItems, QUANTITY, RequestedItemDto, toRequestedItem } from '../../stock/dto/requested-item.dto.js';
import { MAX_ITEMS, MAX_QUANTITY, type RequestedItem } from '../../stock/requested-item.js';

class OfCustomerSchema {
  @ApiPropertyOptional(CUSTOMER_REF)
  customer_ref?: string;
}

/** How an order is asked for, as it is documented: one of three forms. */
@ApiSchema({ name: 'OrderOfOneProduct' })
class OrderOfOneProductSchema extends OfCustomerSchema {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  product_id: number;

  @ApiPropertyOptional({ ...QUANTITY, example: 2 })
  quantity?: number;
}

@ApiSchema({ name: 'OrderOfSeveralProducts' })
class OrderOfSeveralProductsSchema extends OfCustomerSchema {
  @ApiProperty({
    type: [RequestedItemDto],
    minItems: 1,
    maxItems: MAX_ITEMS,
    description: 'All or none; items of the same product are added up',
  })
  items: RequestedItemDto[];
}

@ApiSchema({ name: 'OrderOfReservation' })
class OrderOfReservationSchema extends OfCustomerSchema {
  @ApiProperty({ type: 'integer', format: 'int64', example: 3, description: 'The order takes over what it holds' })
  reservation_id: number;
}

/** Documents the body of an order. */
export function ApiOrderBody(): MethodDecorator {
  const forms = [OrderOfOneProductSchema, OrderOfSeveralProductsSchema, OrderOfReservationSchema];
  return applyDecorators(
    ApiExtraModels(...forms),
    ApiBody({
      schema: { oneOf: forms.map((form) => ({ $ref: getSchemaPath(form) })) },
      examples: {
        one: { summary: 'One product', value: { product_id: 1, quantity: 2 } },
        several: { summary: 'Several products', value: { items: [{ product_id: 1, quantity: 2 }, { product_id: 2 }] } },
        reserved: { summary: 'What is held for a checkout', value: { reservation_id: 3 } },
      },
    }),
  );
}

/** An order in any of the three forms; exactly one of them. */
export class CreateOrderDto {
  @ValidateIf(
    ({ items, reservation_id, product_id }: CreateOrderDto) =>
      product_id !== undefined || (items === undefined && reservation_id === undefined),
  )
  @IsId()
  readonly product_id?: number;

  @OptionalField()
  @IsIntegerBetween(1, MAX_QUANTITY)
  readonly quantity?: number;

  @OptionalField()
  @IsAlone()
  @AreRequestedItems()
  readonly items?: RequestedItemDto[];

  @OptionalField()
  @IsAlone()
  @IsId()
  readonly reservation_id?: number;

  @IsCustomerRef()
  readonly customer_ref?: string;
}

/** Reads the forms that name products as one. */
export function requestedItemsOf({ product_id, quantity, items }: CreateOrderDto): RequestedItem[] {
  if (items !== undefined) return items.map(toRequestedItem);
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
