/** What became of one of several that were worked on together: its value, or the reason why it has none. */
export type Outcome<T> = PromiseSettledResult<T>;

export function fulfilled<T>(value: T): Outcome<T> {
  return { status: 'fulfilled', value };
}

export function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason };
}
