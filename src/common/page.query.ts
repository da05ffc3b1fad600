import { ApiPropertyOptional } from '@nestjs/swagger';
import { DigitsToNumber, IsIntegerBetween } from './validators.js';

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
}
