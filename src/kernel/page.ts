/** Which part of a list is wanted. */
export interface PageRequest {
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
  /** Only rows below this id: the page starts there, and `page` is then only its number. */
  readonly before?: number;
}

/** A part of a list. */
export interface Listing<T> {
  readonly items: readonly T[];
  /** The length of the whole list. */
  readonly total: number;
  /** The id below which the next page starts; `undefined` on the last page. */
  readonly next: number | undefined;
}

/** How many rows stand before the page. */
export function offsetOf({ page, pageSize }: PageRequest): number {
  return (page - 1) * pageSize;
}

/** A part of a list that is read from its newest row. */
export interface NewestRows<Row> {
  readonly items: readonly Row[];
  /** The id below which the list goes on; null at its end. */
  readonly next: number | null;
}

/** Cuts a page from rows of which one more was read than it holds: that one tells whether there is a next page. */
export function newestOf<Row extends { readonly id: number }>(rows: readonly Row[], size: number): NewestRows<Row> {
  const items = rows.slice(0, size);
  return { items, next: rows.length > size ? (items.at(-1)?.id ?? null) : null };
}
