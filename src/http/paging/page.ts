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

/** A page, and the id below which the next one starts when there is one. */
export interface Listing<T> {
  readonly page: Page<T>;
  readonly next: number | undefined;
}

/** Puts a page of `items` into the contract's envelope; an empty list has one empty page. */
export function toPage<T>(items: T[], total: number, { page, page_size }: PageRequest): Page<T> {
  return { items, total, page, page_size, total_pages: Math.max(1, Math.ceil(total / page_size)) };
}

/** How many rows stand before the page. */
export function offsetOf({ page, page_size }: PageRequest): number {
  return (page - 1) * page_size;
}

/** A `Link` to the next page (RFC 8288), which is found by the last id of this one and so at the same cost however deep. */
export function linkToNext(
  path: string,
  query: { readonly page_size: number; readonly page?: number },
  next: number,
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries<string | number | undefined>({
    ...query,
    page: query.page === undefined ? undefined : query.page + 1,
    before: next,
  })) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return `<${path}?${parameters.toString()}>; rel="next"`;
}
