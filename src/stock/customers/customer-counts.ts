import type { QueryConfig } from 'pg';

// The one writer of `customer_counts`: what customers have, bought and held, of products of which they may have so many. Whoever calls this
// holds the locks of the products' rows, granted to an earlier statement.

/** A product and a customer. */
export interface CustomerOfProduct {
  readonly productId: number;
  readonly customerRef: string;
}

/** What a customer has of a product. */
export interface CustomerCount extends CustomerOfProduct {
  /** Units bought and held. */
  readonly quantity: number;
}

/** One without a row has what its orders and reservations say, for the product had no limit when they were made. */
export function selectCustomerCounts(customers: readonly CustomerOfProduct[]): QueryConfig {
  return {
    name: 'select-customer-counts',
    text: `SELECT product_id AS "productId", customer_ref AS "customerRef",
             coalesce(counted.quantity,
               (SELECT sum(line.quantity) FROM customer_lines AS line
                WHERE line.customer_ref = wanted.customer_ref AND line.product_id = wanted.product_id), 0)::integer AS quantity
           FROM unnest($1::bigint[], $2::text[]) AS wanted (product_id, customer_ref)
           LEFT JOIN customer_counts AS counted USING (product_id, customer_ref)`,
    values: [customers.map(({ productId }) => productId), customers.map(({ customerRef }) => customerRef)],
  };
}

/** What customers have from now on, with the limits that it was decided by: PostgreSQL refuses what is beyond. */
export function writeCustomerCounts(counts: readonly (CustomerCount & { readonly maximum: number })[]): QueryConfig {
  return {
    name: 'write-customer-counts',
    text: `INSERT INTO customer_counts (product_id, customer_ref, quantity, maximum)
           SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::integer[])
           ON CONFLICT (product_id, customer_ref) DO UPDATE SET quantity = excluded.quantity, maximum = excluded.maximum`,
    values: [
      counts.map(({ productId }) => productId),
      counts.map(({ customerRef }) => customerRef),
      counts.map(({ quantity }) => quantity),
      counts.map(({ maximum }) => maximum),
    ],
  };
}

/**
 * What customers have given back. It is a statement of its own, after the one that has locked the products: that one does not see a row
 * which was made while it waited.
 *
 * @param lines SQL that gives `customer_ref`, `product_id` and `quantity` of the orders or reservations `$1`.
 */
export function giveBackFromCustomers(name: string, lines: string, ids: readonly number[]): QueryConfig {
  return {
    name: `give-back-from-customers-${name}`,
    text: `UPDATE customer_counts AS counted SET quantity = greatest(counted.quantity - returned.units, 0)
           FROM (SELECT customer_ref, product_id, sum(quantity)::integer AS units FROM (${lines}) AS line
                 WHERE customer_ref IS NOT NULL GROUP BY customer_ref, product_id) AS returned
           WHERE counted.product_id = returned.product_id AND counted.customer_ref = returned.customer_ref`,
    values: [ids],
  };
}

/** A product without a limit counts nobody: should it get one again, the counts begin anew from orders and reservations. */
export function forgetCustomerCounts(productId: number): QueryConfig {
  return {
    name: 'forget-customer-counts',
    text: 'DELETE FROM customer_counts WHERE product_id = $1',
    values: [productId],
  };
}
