import { ApiProperty } from '@nestjs/swagger';
import type { Page } from './page.js';

/** What every page of a list has beside its items. */
export abstract class PageResponse<T> implements Page<T> {
  abstract items: T[];

  @ApiProperty({ type: 'integer', example: 1 })
  total: number;

  @ApiProperty({ type: 'integer', example: 1 })
  page: number;

  @ApiProperty({ type: 'integer', example: 10 })
  page_size: number;

  @ApiProperty({ type: 'integer', minimum: 1, example: 1 })
  total_pages: number;
}
