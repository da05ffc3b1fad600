import { ApiPropertyOptional } from '@nestjs/swagger';
import { DigitsToNumber, IsIntegerBetween } from '../../http/validation/validators.js';

const MAX_LIMIT = 100;

export class ListAuditRunsQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, description: '10 unless given' })
  @DigitsToNumber()
  @IsIntegerBetween(1, MAX_LIMIT)
  readonly limit: number = 10;
}
