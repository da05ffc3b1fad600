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
