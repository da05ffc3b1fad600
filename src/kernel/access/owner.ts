/** Whose orders and reservations somebody sees and touches: those of one `customer_ref`, or all where it is null. */
export type Owner = string | null;

/** A row that somebody asks for, and whose rows they have. */
export interface OwnedId {
  readonly id: number;
  readonly owner: Owner;
}

/**
 * The condition of a row of `orders` or `reservations` that its owner asks for, in SQL. What is another's is left out by the statement that
 * would read or change it, so that it cannot be told from what is not there, nor change hands between a look and the act.
 *
 * @param parameter the {@link Owner}, as `$2`.
 */
export function ownedBy(parameter: string): string {
  return `(${parameter}::text IS NULL OR customer_ref = ${parameter})`;
}

/** The same for TypeORM. */
export function whereOwned({ id, owner }: OwnedId): { id: number; customerRef?: string } {
  return owner === null ? { id } : { id, customerRef: owner };
}
