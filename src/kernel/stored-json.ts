/** A number as `JSON.stringify` prints it; as text where it is no safe integer, because a double may not hold each of its digits. */
export type StoredNumber = number | string;

/** How a value is kept as text. */
export interface StoredForm<T> {
  readonly toText: (value: T) => string;
  /** The value as it was when it was kept. */
  readonly fromText: (text: string) => T;
}

declare global {
  interface JSON {
    /** With the source text of each number (ECMAScript 2026, in Node.js since 22). */
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** A form as JSON: `write` gives what is stored of a value, and `read` makes the value of it again. */
export function storedAsJson<T>({
  write,
  read,
}: {
  readonly write: (value: T) => object;
  readonly read: (stored: never) => T;
}): StoredForm<T> {
  return {
    toText: (value) => JSON.stringify(write(value)),
    fromText: (text) => {
      const parsed = JSON.parse(text, (_key, value, { source }) =>
        typeof value === 'number' && !Number.isSafeInteger(value) ? source : value,
      );
      // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- `write` has made it
      return read(parsed as never);
    },
  };
}

/** Of what has no result beside the fact that it was done. */
export const STORED_NOTHING: StoredForm<undefined> = storedAsJson({ write: () => ({}), read: () => undefined });
