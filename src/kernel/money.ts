/** An amount of money in whole cents: a `bigint`, because a total may pass 2^53 cents. */
export type Cents = bigint;

/** Reads a decimal with at most two places, as `numeric` columns and JSON numbers print it: `"9.9"` is 990 cents. */
export function parseCents(decimal: string): Cents {
  if (!/^\d+(?:\.\d{1,2})?$/.test(decimal))
    throw new RangeError(`"${decimal}" is not an amount with at most two decimals`);
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(2, '0'));
}

/** Prints cents as a decimal with two places, for a `numeric` column: 990 cents are `"9.90"`. */
export function formatCents(cents: Cents): string {
  return `${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`;
}

/** Lets TypeORM keep `numeric` columns as cents. */
export const centsTransformer = {
  to: (cents?: Cents): string | undefined => (cents === undefined ? undefined : formatCents(cents)),
  from: (decimal: string): Cents => parseCents(decimal),
};
