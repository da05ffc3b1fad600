import { ApiProperty } from '@nestjs/swagger';
import type { Listing, PageRequest } from '../../kernel/page.js';

/** What every page of a list has beside its items. */
export abstract class PageResponse<T> {
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

/** A listing in the contract's envelope, each item rendered; an empty list has one empty page. */
export function toPage<Item, Rendered>(
  { items, total }: Listing<Item>,
  { page, pageSize }: PageRequest,
  render: (item: Item) => Rendered,
): PageResponse<Rendered> {
  const totalPages = Math.max(1, Math.ceil(total / pageSize));
  return { items: items.map(render), total, page, page_size: pageSize, total_pages: totalPages };
}
