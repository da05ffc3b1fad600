import { ApiPropertyOptional } from '@nestjs/swagger';
import type { PageRequest } from '../../kernel/page.js';
import { DigitsToNumber, EmptyIsAbsent, IsIntegerBetween } from '../validation/validators.js';

const MAX_PAGE = 2_147_483_647;
const MAX_PAGE_SIZE = 100;

/** The query parameters of every list. */
export class PageQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE, description: '1 unless given' })
  @DigitsToNumber()
  @IsIntegerBetween(1, MAX_PAGE)
  readonly page: number = 1;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, description: '10 unless given' })
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

/** The part of a list that the query asks for. */
export function pageRequestOf({ page, page_size: pageSize, before }: PageQuery): PageRequest {
  return { page, pageSize, before };
}
