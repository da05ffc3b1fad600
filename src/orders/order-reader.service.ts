import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { ListReads, type PageRead } from '../database/lists/list-reads.js';
import { type CountedList, RowCounts } from '../database/lists/row-counts.js';
import { type OwnedId, whereOwned } from '../kernel/access/owner.js';
import type { Listing, PageRequest } from '../kernel/page.js';
import { AskedOrders } from './asked-orders.js';
import { type OrderEvent, type OrderEventRow, selectEvents, toEvents } from './history/order-event.js';
import {
  type OrderItemRow,
  type OrderRow,
  selectOrderItems,
  selectOrders,
  toOrder,
  toWholeOrder,
} from './order-rows.js';
import { findOrders, isNarrow, type OrderFilter } from './order-search.js';
import { selectIsUndoOwed } from './fulfilment-undo-writer.js';
import { ORDER_STATUSES, type OrderStatus, TRANSITIONS } from './order-status.js';
import { Order } from './order.entity.js';
import { OrderNotFoundError } from './order.errors.js';

/** Orders as they stand in the database. */
@Injectable()
export class OrderReaderService {
  private readonly alone: AskedOrders<OrderRow, Order>;
  private readonly whole: AskedOrders<OrderItemRow, Order>;
  private readonly histories: AskedOrders<OrderEventRow, OrderEvent[]>;
  private readonly pages: PageRead<Listing<Order>>;

  constructor(
    @InjectDataSource(READS) private readonly dataSource: DataSource,
    private readonly counts: RowCounts,
    lists: ListReads,
  ) {
    this.pages = lists.ofKind();
    this.alone = new AskedOrders(dataSource, { select: selectOrders, toResult: toOrder });
    this.whole = new AskedOrders(dataSource, { select: selectOrderItems, toResult: toWholeOrder });
    this.histories = new AskedOrders(dataSource, { select: selectEvents, toResult: toEvents });
  }

  /** @throws OverloadedError when too many lists are read. */
  async list(request: PageRequest, filter: OrderFilter): Promise<Listing<Order>> {
    return this.pages([request, filter], () => this.page(request, filter));
  }

  /** @throws as {@link AskedOrders.get} does, here and below. */
  async get(order: OwnedId): Promise<Order> {
    return this.whole.get(order);
  }

  /** The same by connections that have found the order's id a moment ago: others may still lead to a standby. */
  async find({ id, owner }: OwnedId, manager: EntityManager): Promise<Order> {
    const order = await manager.findOne(Order, { where: whereOwned({ id, owner }), relations: { items: true } });
    if (order === null) throw new OrderNotFoundError(id);
    return order;
  }

  /** The order without its items. */
  async getStatus(order: OwnedId): Promise<Order> {
    return this.alone.get(order);
  }

  /** The history of an order, from its beginning. */
  async events(order: OwnedId): Promise<OrderEvent[]> {
    return this.histories.get(order);
  }

  private async page(request: PageRequest, { status, ...filter }: OrderFilter): Promise<Listing<Order>> {
    const { ids, ...found } = isNarrow(filter)
      ? await findOrders(this.dataSource, { ...filter, status }, request)
      : await this.counts.page(listOf(status), request);
    const orders = await this.whole.find(ids.map((id) => ({ id, owner: filter.owner })));
    // A worker may have moved one of them on in between.
    const isStill = (order: Order | undefined): order is Order =>
      order !== undefined && (status === undefined || order.status === status);
    return { ...found, items: orders.filter(isStill) };
  }

  /** The same, and whether nothing comes any more: the order has ended, and owes the gateway no undo. */
  async progress(order: OwnedId): Promise<{ events: OrderEvent[]; isOver: boolean }> {
    const events = await this.events(order);
    if (!events.some(({ status }) => TRANSITIONS[status].length === 0)) return { events, isOver: false };
    // The undo was owed in the commit that has ended the order. When none is owed now, it has ended, and its event is there.
    const [undo] = await readPrepared<{ isOwed: boolean }>(this.dataSource, selectIsUndoOwed(order.id));
    return undo?.isOwed === true ? { events, isOver: false } : { events: await this.events(order), isOver: true };
  }
}

function listOf(status: OrderStatus | undefined): CountedList {
  if (status === undefined) {
    return { name: 'orders', counts: ORDER_STATUSES.map((each) => `orders:${each}`), rows: 'orders WHERE true' };
  }
  return { name: `orders-${status}`, counts: [`orders:${status}`], rows: `orders WHERE status = '${status}'` };
}
