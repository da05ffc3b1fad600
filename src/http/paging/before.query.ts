import { ApiPropertyOptional } from '@nestjs/swagger';
import { DigitsToNumber, EmptyIsAbsent, IsIntegerBetween } from '../validation/validators.js';

const MAX_PAGE_SIZE = 100;

/** The query parameters of a list that is read page by page from its newest row, and whose rows are not counted. */
export class BeforeQuery {
  @ApiPropertyOptional({
    type: 'integer',
    format: 'int64',
    minimum: 1,
    description: 'Below this id, as `next` of a page gives it',
  })
  @EmptyIsAbsent()
  @DigitsToNumber()
  @IsIntegerBetween(1, Number.MAX_SAFE_INTEGER)
  readonly before?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, description: '10 unless given' })
  @DigitsToNumber()
  @IsIntegerBetween(1, MAX_PAGE_SIZE)
  readonly page_size: number = 10;
}
