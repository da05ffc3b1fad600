/** Where a page of a list starts and how long it is. */
export interface PageRequest {
  readonly page: number;
  readonly page_size: number;
}

/** One page of a list: the contract's envelope. */
export interface Page<T> {
  items: T[];
  total: number;
  page: number;
  page_size: number;
  total_pages: number;
}

/** Puts a page of `items` into the contract's envelope; an empty list has one empty page. */
export function toPage<T>(items: T[], total: number, { page, page_size }: PageRequest): Page<T> {
  return { items, total, page, page_size, total_pages: Math.max(1, Math.ceil(total / page_size)) };
}

/** How many rows stand before the page. */
export function offsetOf({ page, page_size }: PageRequest): number {
  return (page - 1) * page_size;
}
