import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CUSTOMER_REF, IsCustomerRef } from '../../http/validation/customer-ref.decorator.js';
import { IsIntegerBetween } from '../../http/validation/validators.js';
import { AreRequestedItems, RequestedItemDto } from '../../stock/dto/requested-item.dto.js';
import { MAX_ITEMS } from '../../stock/requested-item.js';
import { DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS } from '../reservation.js';

export class CreateReservationDto {
  @ApiProperty({ type: [RequestedItemDto], minItems: 1, maxItems: MAX_ITEMS, description: 'All or none' })
  @AreRequestedItems()
  readonly items: RequestedItemDto[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_TTL_SECONDS,
    description: `${DEFAULT_TTL_SECONDS} unless given`,
    example: 600,
  })
  @IsIntegerBetween(1, MAX_TTL_SECONDS)
  readonly ttl_seconds: number = DEFAULT_TTL_SECONDS;

  @ApiPropertyOptional(CUSTOMER_REF)
  @IsCustomerRef()
  readonly customer_ref?: string;
}
