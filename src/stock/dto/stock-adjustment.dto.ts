import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsIntegerBetween,
  IsIntegerOtherThanZero,
  IsText,
  OptionalField,
  Trimmed,
} from '../../http/validation/validators.js';
import { MAX_STOCK } from '../stock.js';

export class StockAdjustmentDto {
  @ApiProperty({
    type: 'integer',
    minimum: -MAX_STOCK,
    maximum: MAX_STOCK,
    example: -2,
    description: 'Units to add, or to take away when negative; not 0',
  })
  @IsIntegerOtherThanZero(MAX_STOCK)
  readonly delta: number;

  @ApiProperty({
    minLength: 1,
    maxLength: 255,
    example: 'two were damaged',
    description: 'Trimmed before it is counted',
  })
  @Trimmed()
  @IsText(1, 255)
  readonly reason: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_STOCK,
    example: 100,
    description: 'The stock that the caller has seen: when it is another by now, nothing is changed',
  })
  @OptionalField()
  @IsIntegerBetween(0, MAX_STOCK)
  readonly expected_stock?: number;
}
