import { ApiProperty } from '@nestjs/swagger';
import { IsIntegerBetween, IsName, Trimmed } from '../../http/validation/validators.js';
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
}
