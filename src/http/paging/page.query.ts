import { ApiPropertyOptional } from '@nestjs/swagger';
import { DigitsToNumber, EmptyIsAbsent, IsIntegerBetween } from '../validation/validators.js';

const MAX_PAGE = 2_147_483_647;
const MAX_PAGE_SIZE = 100;

/** The query parameters of every list. */
export class PageQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 1 })
  @DigitsToNumber()
  @IsIntegerBetween(1, MAX_PAGE)
  readonly page: number = 1;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: 10 })
  @DigitsToNumber()
  @IsIntegerBetween(1, MAX_PAGE_SIZE)
  readonly page_size: number = 10;

  @ApiPropertyOptional({
    type: 'integer',
    format: 'int64',
    minimum: 1,
    description:
      'Start below this id instead of counting pages, as the `Link` with `rel="next"` of a page does; `page` is then only its number',
  })
  @EmptyIsAbsent()
  @DigitsToNumber()
  @IsIntegerBetween(1, Number.MAX_SAFE_INTEGER)
  readonly before?: number;
}
