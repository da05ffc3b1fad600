import { Injectable } from '@nestjs/common';
import type { QueryConfig } from 'pg';
import type { EntityManager } from 'typeorm';
import { LockTimeoutError } from '../../database/database-errors.js';
import { queryWithin } from '../../database/prepared-statement.js';
import { IdempotencyService } from '../../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../../idempotency/idempotent-request.js';
import type { OwnedId } from '../../kernel/access/owner.js';
import { formatCents } from '../../kernel/money.js';
import { currentOrigin } from '../../runtime/request-context.js';
import { ReservationClosedError, ReservationNotFoundError } from '../../reservations/reservation.errors.js';
import { lockHeldReservation } from '../../reservations/reservation-rows.js';
import { CONFIRM_RESERVATION } from '../../reservations/reservation-writer.js';
import { priceHeldItems, type PricedItem, totalOf } from '../../stock/priced-item.js';
import { writeCustomerCounts } from '../../stock/customers/customer-counts.js';
import { tallyCustomers } from '../../stock/customers/customer-limit.js';
import type { RequestedItem } from '../../stock/requested-item.js';
import { keepProducts, lockProducts, selectStocks, type StockRow } from '../../stock/stock-rows.js';
import { productIdsOf } from '../../stock/pipeline/stock-request.js';
import { recordEvents } from '../history/order-event-writer.js';
import type { Order } from '../order.entity.js';
import { INSERT_ITEMS, insertOrders, NEW_FULFILMENT_KEY } from '../order-writer.js';
import { OrderDispatcher } from '../processing/order-dispatcher.js';
import { storedOrder } from '../stored-order.js';
import { toOrder, type WrittenOrder } from './sale.js';

/** A reservation that is to become an order. */
interface Confirmed extends OwnedId {
  /** Of the order, unless the reservation has one: then it must be the same. */
  readonly customerRef: string | null;
}

/** Makes orders of reservations. No stock moves: the order takes over what is held. */
@Injectable()
export class ReservationConfirmationService {
  constructor(
    private readonly idempotency: IdempotencyService,
    private readonly dispatcher: OrderDispatcher,
  ) {}

  /**
   * Makes an order of a reservation, at the prices of this moment.
   *
   * @throws ReservationNotFoundError, ProductNotFoundError
   * @throws ReservationClosedError when it holds nothing any more, by PostgreSQL's clock.
   */
  async confirm(reservation: Confirmed, request?: IdempotentRequest): Promise<Performed<Order>> {
    const confirmed = await this.idempotency.run(request, storedOrder, (manager) => confirm(manager, reservation));
    if (!confirmed.isReplayed) this.dispatcher.dispatch(confirmed.result.id);
    return confirmed;
  }
}

async function confirm(manager: EntityManager, { customerRef: named, ...owned }: Confirmed): Promise<Order> {
  const { id, items, customerRef: own } = await lockHeldReservation(manager, owned);
  if (own !== null && named !== null && named !== own) throw new ReservationNotFoundError(id);
  const products = await keep(manager, { items, customerRef: own === null ? named : undefined });
  const priced = priceHeldItems(items, products);
  const [written] = await queryWithin<WrittenOrder>(
    manager,
    writeConfirmation({ id, customerRef: own ?? named }, priced),
  );
  // Its time was up while the products were waited for.
  if (written === undefined) throw new ReservationClosedError({ id, status: 'expired', orderId: null });
  return toOrder(written, priced);
}

/** Keeps the products of a reservation from being deleted. What nobody held is counted for the customer that it is for, under their locks. */
async function keep(manager: EntityManager, { items, customerRef }: Claimed): Promise<StockRow[]> {
  const ids = productIdsOf([{ items }]);
  if (customerRef === undefined) return queryWithin<StockRow>(manager, keepProducts(ids));
  const isLimited = ({ maxPerCustomer }: StockRow) => maxPerCustomer !== null;
  const seen = await queryWithin<StockRow>(manager, selectStocks(ids));
  const products = await queryWithin<StockRow>(manager, seen.some(isLimited) ? lockProducts(ids) : keepProducts(ids));
  if (!products.some(isLimited)) return products;
  // It got its limit between the two.
  if (!seen.some(isLimited)) throw new LockTimeoutError();
  await count(manager, { items, customerRef }, products);
  return products;
}

/** What is held, and the customer that it is for if nobody held it: null for none. */
interface Claimed {
  readonly items: readonly RequestedItem[];
  readonly customerRef: string | null | undefined;
}

/** Who takes over what nobody had held is counted now. @throws CustomerLimitError, ValidationError */
async function count(
  manager: EntityManager,
  asked: { readonly items: readonly RequestedItem[]; readonly customerRef: string | null },
  products: readonly StockRow[],
): Promise<void> {
  const tally = await tallyCustomers([asked], products, { query: (statement) => queryWithin(manager, statement) });
  tally.expectWithin(asked);
  tally.add(asked);
  if (tally.changes.length > 0) await queryWithin(manager, writeCustomerCounts(tally.changes));
}

/** Gives no row when the time of the reservation is up by now: then the caller rolls back. */
function writeConfirmation(
  { id, customerRef }: Pick<Confirmed, 'id' | 'customerRef'>,
  items: readonly PricedItem[],
): QueryConfig {
  const { requestId, actor } = currentOrigin();
  const parts = [
    insertOrders(`VALUES ($2::numeric, ${NEW_FULFILMENT_KEY}, $8::text)`),
    `line AS (
      SELECT id AS order_id, item.*
      FROM written CROSS JOIN unnest($3::bigint[], $4::integer[], $5::numeric[]) AS item (product_id, quantity, unit_price)
    )`,
    INSERT_ITEMS,
    `begun AS (${recordEvents(`SELECT id, 'pending', 'reservation ' || $1::bigint || ' confirmed', $6::text, $7::text FROM written`)})`,
  ];
  return {
    name: 'confirm-reservation',
    text: `WITH ${parts.join(',\n    ')} ${CONFIRM_RESERVATION} RETURNING written.id, written.created_at AS "createdAt", $8 AS "customerRef"`,
    values: [
      id,
      formatCents(totalOf(items)),
      items.map(({ productId }) => productId),
      items.map(({ quantity }) => quantity),
      items.map(({ unitPrice }) => formatCents(unitPrice)),
      requestId,
      actor,
      customerRef,
    ],
  };
}
