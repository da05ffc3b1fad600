import type { QueryConfig } from 'pg';
import type { PipelinedTransaction } from '../database/transactions/pipelined-transaction.js';
import type { StockRequest } from '../stock/pipeline/stock-request.js';
import type { Tally } from '../stock/pipeline/tally.js';
import type { LockedRow } from '../stock/stock-rows.js';
import { HoldLimitError, TooManyReservationsError } from './reservation.errors.js';

/** How much may be held. */
export interface HoldLimits {
  /** What one holder may hold of a product, in percent of its stock and all holds of it together; 100 for all of it. */
  readonly percent: number;
  /** Reservations of one customer at a time. */
  readonly reservations: number;
}

/** What is held of a product by one holder. */
interface Held {
  readonly productId: number;
  readonly holder: string | null;
  readonly units: number;
}

/** Who holds what is asked for: the customer, else whoever asks; null where nobody is asked who they are. */
export function holderOf({ customerRef, origin }: StockRequest): string | null {
  return typeof customerRef === 'string' ? `customer:${customerRef}` : (origin?.actor ?? null);
}

/** What the holders of requests have, of products whose rows are locked. */
export async function tallyHolds(
  requests: readonly StockRequest[],
  { products, limits }: { readonly products: readonly LockedRow[]; readonly limits: HoldLimits },
  transaction: Pick<PipelinedTransaction, 'query'>,
): Promise<HoldTally> {
  const customers = [...new Set(requests.filter(isOfCustomer).map(holderOf))];
  const [held, open] = await Promise.all([
    limits.percent < 100 ? transaction.query<Held>(selectHeld(products.map(({ id }) => id))) : [],
    customers.length > 0
      ? transaction.query<{ holder: string; open: number }>(selectOpen(customers, limits.reservations))
      : [],
  ]);
  return new HoldTally(limits, { products, held, open });
}

function selectHeld(productIds: readonly number[]): QueryConfig {
  return {
    name: 'select-held',
    text: `SELECT product_id AS "productId", held_by AS holder, sum(quantity)::integer AS units
           FROM reservations JOIN reservation_items ON reservation_id = reservations.id
           WHERE status = 'held' AND product_id = ANY ($1::bigint[]) GROUP BY product_id, held_by`,
    values: [productIds],
  };
}

/** Counts no further than `limit`. */
function selectOpen(holders: readonly (string | null)[], limit: number): QueryConfig {
  return {
    name: 'select-open-reservations',
    text: `SELECT holder, (SELECT count(*)::integer FROM
             (SELECT FROM reservations WHERE held_by = holder AND status = 'held' LIMIT $2) AS counted) AS open
           FROM unnest($1::text[]) AS wanted (holder)`,
    values: [holders, limit],
  };
}

/** What holders have, which each request that is decided on makes more. */
class HoldTally implements Tally {
  /** Units by product and holder. */
  private readonly held: Map<string, number>;
  private readonly open: Map<string | null, number>;
  /** Units of a product that can be sold or are held. */
  private readonly all: Map<number, number>;

  constructor(
    private readonly limits: HoldLimits,
    found: {
      readonly products: readonly LockedRow[];
      readonly held: readonly Held[];
      readonly open: readonly { holder: string; open: number }[];
    },
  ) {
    this.held = new Map(found.held.map(({ productId, holder, units }) => [keyOf(productId, holder), units]));
    this.open = new Map(found.open.map(({ holder, open }) => [holder, open]));
    this.all = new Map(found.products.map(({ id, stock }) => [id, stock ?? 0]));
    for (const { productId, units } of found.held) this.all.set(productId, (this.all.get(productId) ?? 0) + units);
  }

  /** @throws HoldLimitError, TooManyReservationsError */
  expectWithin(request: StockRequest): void {
    const holder = holderOf(request);
    if (isOfCustomer(request) && (this.open.get(holder) ?? 0) >= this.limits.reservations) {
      throw new TooManyReservationsError(this.limits.reservations);
    }
    if (this.limits.percent === 100) return;
    for (const { productId, quantity } of request.items) {
      const limit = Math.max(1, Math.floor(((this.all.get(productId) ?? 0) * this.limits.percent) / 100));
      const held = this.held.get(keyOf(productId, holder)) ?? 0;
      if (held + quantity > limit) throw new HoldLimitError(productId, { limit, held });
    }
  }

  add(request: StockRequest): void {
    const holder = holderOf(request);
    if (isOfCustomer(request)) this.open.set(holder, (this.open.get(holder) ?? 0) + 1);
    for (const { productId, quantity } of request.items) {
      const key = keyOf(productId, holder);
      this.held.set(key, (this.held.get(key) ?? 0) + quantity);
    }
  }
}

function isOfCustomer({ customerRef }: StockRequest): boolean {
  return typeof customerRef === 'string';
}

function keyOf(productId: number, holder: string | null): string {
  return `${productId} ${holder ?? ''}`;
}
