/**
 * An array of numbers, or of texts that are decimals, in PostgreSQL's own text: `{1,2.50}`. pg makes the same of an array, but it prepares
 * each element as a text that may have to be escaped, which takes six times as long (docs/decisions/0005).
 */
export function numericArray(numbers: readonly (number | string)[]): string {
  return `{${numbers.join(',')}}`;
}
