import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIntegerBetween, IsName, NullIsAllowed, OptionalField, Trimmed } from '../../http/validation/validators.js';
import { MAX_QUANTITY } from '../../stock/requested-item.js';
import { MAX_STOCK } from '../../stock/stock.js';
import { IsPrice, MAX_PRICE } from './is-price.decorator.js';

export class CreateProductDto {
  @ApiProperty({
    minLength: 1,
    maxLength: 255,
    example: 'Mechanical keyboard',
    description: 'Trimmed before it is counted',
  })
  @Trimmed()
  @IsName(1, 255)
  readonly name: string;

  @ApiProperty({
    minimum: 0,
    exclusiveMinimum: true,
    maximum: MAX_PRICE,
    description: 'At most two decimals',
    example: 89.9,
  })
  @IsPrice()
  readonly price: number;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: MAX_STOCK, example: 100 })
  @IsIntegerBetween(0, MAX_STOCK)
  readonly stock: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_QUANTITY,
    nullable: true,
    example: 2,
    description: 'Units that one customer may have, bought and held; null or absent for any number',
  })
  @OptionalField()
  @NullIsAllowed()
  @IsIntegerBetween(1, MAX_QUANTITY)
  readonly max_per_customer?: number | null;
}
