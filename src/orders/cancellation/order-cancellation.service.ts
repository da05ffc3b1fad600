import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { recordAction } from '../../actions/action.js';
import { Config } from '../../config/config.js';
import { CONFIRM_READ } from '../../database/transactions/commit.js';
import { queryWithin, readPrepared } from '../../database/prepared-statement.js';
import { IdempotencyService } from '../../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../../idempotency/idempotent-request.js';
import { type OwnedId, whereOwned } from '../../kernel/access/owner.js';
import { NoAnswerError } from '../../kernel/no-answer.error.js';
import type { StoredForm } from '../../kernel/stored-json.js';
import { currentOrigin } from '../../runtime/request-context.js';
import { StockChanges } from '../../stock/stock-changes.js';
import { CancellationHints } from './cancellation-hints.js';
import { oweUndo } from '../fulfilment-undo-writer.js';
import { OrderNotCancellableError, OrderNotFoundError } from '../order.errors.js';
import { Order } from '../order.entity.js';
import { giveBackOrder, releaseOrder } from '../order-writer.js';
import { changeStatus } from '../status-change.js';
import { storedOrder } from '../stored-order.js';

/** A cancelled order, and the products whose stock has gone back. */
interface Cancellation {
  readonly order: Order;
  readonly released: readonly number[];
}

const storedCancellation: StoredForm<Cancellation> = {
  toText: ({ order }) => storedOrder.toText(order),
  fromText: (text) => ({ order: storedOrder.fromText(text), released: [] }),
};

/** Cancels orders: whoever does that, does it here. */
@Injectable()
export class OrderCancellationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly idempotency: IdempotencyService,
    private readonly changes: StockChanges,
    private readonly hints: CancellationHints,
    private readonly config: Config,
  ) {}

  /**
   * Cancels an order that is still open and puts its stock back, once. An order that is cancelled already is given as it is. When
   * a worker ends the order at the same time, one of the two wins: the row is changed once.
   *
   * @throws OrderNotFoundError
   * @throws OrderNotCancellableError when it is too late.
   */
  async cancel(order: OwnedId, reason: string | undefined, request?: IdempotentRequest): Promise<Performed<Order>> {
    return this.perform(order, { reason, isAction: false }, request);
  }

  /** The same for an operator: it is recorded among the actions as well. */
  async cancelAsAction(id: number, reason: string | undefined, request?: IdempotentRequest): Promise<Performed<Order>> {
    return this.perform({ id, owner: null }, { reason, isAction: true }, request);
  }

  private async perform(
    { id, owner }: OwnedId,
    { reason, isAction }: { reason: string | undefined; isAction: boolean },
    request: IdempotentRequest | undefined,
  ): Promise<Performed<Order>> {
    const cause = reason === undefined ? 'cancelled' : `cancelled: ${reason}`;
    const cancelling = this.idempotency.run(request, storedCancellation, async (manager) => {
      const cancellation = await cancel(manager, { id, owner, cause, callMs: this.config.orders.fulfilmentTimeoutMs });
      const details = { order_id: id, reason: reason ?? null };
      if (isAction) await recordAction(manager, 'order.cancelled', details);
      return cancellation;
    });
    const { result, isReplayed } = await cancelling.catch(async (error: unknown) => {
      if (error instanceof NoAnswerError) await this.announce(id, await this.productsOf(id));
      throw error;
    });
    await this.announce(id, result.released);
    return { result: result.order, isReplayed };
  }

  private async announce(id: number, released: readonly number[]): Promise<void> {
    if (released.length === 0) return;
    this.hints.publish(id);
    await this.changes.announce(released);
  }

  /** The products of an order; none while PostgreSQL cannot tell. */
  private async productsOf(id: number): Promise<number[]> {
    const statement = { text: 'SELECT product_id AS id FROM order_items WHERE order_id = $1', values: [id] };
    const rows = await readPrepared<{ id: number }>(this.dataSource, statement).catch(() => []);
    return rows.map((row) => row.id);
  }
}

async function cancel(
  manager: EntityManager,
  { id, owner, cause, callMs }: OwnedId & { cause: string; callMs: number },
): Promise<Cancellation> {
  const change = { orderId: id, cause, origin: currentOrigin() };
  const cancelled = await queryWithin(manager, changeStatus([change], 'cancelled', owner));
  const released =
    cancelled.length > 0
      ? await queryWithin<{ id: number }>(
          manager,
          releaseOrder(id, cause, { also: oweUndo({ callMs }), origin: currentOrigin() }),
        )
      : [];
  const order = await manager.findOne(Order, { where: whereOwned({ id, owner }), relations: { items: true } });
  if (order === null) throw new OrderNotFoundError(id);
  if (order.status !== 'cancelled') throw new OrderNotCancellableError(id, order.status);
  if (cancelled.length === 0) await manager.query(CONFIRM_READ);
  else if (order.customerRef !== null) await queryWithin(manager, giveBackOrder(id));
  return { order, released: released.map((product) => product.id) };
}
