import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIntegerBetween, OptionalField } from '../../http/validation/validators.js';

export const MAX_OVERLAP_SECONDS = 2_592_000;

export class RollApiKeyDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP_SECONDS,
    example: 86_400,
    description: 'How long the old secret stays good, 0 unless given',
  })
  @OptionalField()
  @IsIntegerBetween(0, MAX_OVERLAP_SECONDS)
  readonly overlap_seconds?: number;
}
