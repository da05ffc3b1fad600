import { type Cents, formatCents } from './money.js';

declare global {
  interface JSON {
    /** A JSON number that is printed as the given text, beyond what a double can hold (ECMAScript 2026, in Node.js since 22). */
    rawJSON(text: string): JsonNumber;
  }
}

/** A number that `JSON.stringify` prints digit by digit as it was given. */
export interface JsonNumber {
  readonly rawJSON: string;
}

/** Money as an exact JSON number, without the rounding of a division: 990 cents are `9.9`, 10^16 - 1 cents keep each digit. */
export function toJsonNumber(cents: Cents): JsonNumber {
  return JSON.rawJSON(formatCents(cents).replace(/\.?0+$/, ''));
}
