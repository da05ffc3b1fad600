import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsObject, ValidateNested } from 'class-validator';
import { IsIntegerBetween } from '../../http/validation/validators.js';
import { CreateOrderItemDto, MAX_ITEMS } from '../../orders/dto/create-order.dto.js';

export const MAX_TTL_SECONDS = 3_600;
export const DEFAULT_TTL_SECONDS = 900;

export class CreateReservationDto {
  @ApiProperty({ type: [CreateOrderItemDto], minItems: 1, maxItems: MAX_ITEMS, description: 'All or none' })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_ITEMS)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CreateOrderItemDto)
  readonly items: CreateOrderItemDto[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_TTL_SECONDS,
    default: DEFAULT_TTL_SECONDS,
    example: 600,
  })
  @IsIntegerBetween(1, MAX_TTL_SECONDS)
  readonly ttl_seconds: number = DEFAULT_TTL_SECONDS;
}
