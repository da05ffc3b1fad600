import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, type Repository } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readInBudget, readPrepared } from '../database/prepared-statement.js';
import { LIMITS } from '../config/limits.js';
import { withTimeBudget } from '../runtime/request-context.js';
import { ListReads } from '../database/lists/list-reads.js';
import { type CountedList, RowCounts } from '../database/lists/row-counts.js';
import { type OwnedId, whereOwned } from '../kernel/access/owner.js';
import type { Listing, PageRequest } from '../kernel/page.js';
import { type OrderEvent, selectEvents } from './history/order-event.js';
import { findOrders, isNarrow, type OrderFilter } from './order-search.js';
import { selectIsUndoOwed } from './fulfilment-undo-writer.js';
import { ORDER_STATUSES, type OrderStatus, TRANSITIONS } from './order-status.js';
import { Order } from './order.entity.js';
import { OrderNotFoundError } from './order.errors.js';

/** Orders as they stand in the database. */
@Injectable()
export class OrderReaderService {
  constructor(
    @InjectRepository(Order, READS) private readonly orders: Repository<Order>,
    private readonly counts: RowCounts,
    private readonly lists: ListReads,
  ) {}

  /** @throws OverloadedError when too many lists are read. */
  async list(request: PageRequest, filter: OrderFilter): Promise<Listing<Order>> {
    return this.lists.run(async () => {
      const { ids, ...found } = isNarrow(filter)
        ? await findOrders(this.orders.manager.dataSource, filter, request)
        : await this.counts.page(listOf(filter.status), request);
      const { status } = filter;
      const items = await this.orders.find({
        // Asked again: a worker may have moved one of them on in between.
        where: { id: In(ids), ...(status === undefined ? {} : { status }) },
        relations: { items: true },
        relationLoadStrategy: 'query',
        order: { id: 'DESC' },
      });
      return { ...found, items };
    });
  }

  /** @throws OrderNotFoundError */
  async get(order: OwnedId): Promise<Order> {
    return withTimeBudget(LIMITS.answerMs, () => readInBudget(this.find(order, this.orders.manager)));
  }

  /** The same by connections that have found the order's id a moment ago: others may still lead to a standby. */
  async find({ id, owner }: OwnedId, manager: EntityManager): Promise<Order> {
    const order = await manager.findOne(Order, { where: whereOwned({ id, owner }), relations: { items: true } });
    if (order === null) throw new OrderNotFoundError(id);
    return order;
  }

  /**
   * The order without its items.
   *
   * @throws OrderNotFoundError
   */
  async getStatus({ id, owner }: OwnedId): Promise<Order> {
    const order = await this.orders.findOneBy(whereOwned({ id, owner }));
    if (order === null) throw new OrderNotFoundError(id);
    return order;
  }

  /**
   * The history of an order, from its beginning.
   *
   * @throws OrderNotFoundError
   */
  async events(order: OwnedId): Promise<OrderEvent[]> {
    const statement = selectEvents(order);
    const rows = await readPrepared<Omit<OrderEvent, 'sequence'> | { id: null }>(
      this.orders.manager.dataSource,
      statement,
    );
    if (rows.length === 0) throw new OrderNotFoundError(order.id);
    return rows.flatMap((row, index) => (row.id === null ? [] : { ...row, sequence: index + 1 }));
  }

  /** The same, and whether nothing comes any more: the order has ended, and owes the gateway no undo. @throws OrderNotFoundError */
  async progress(order: OwnedId): Promise<{ events: OrderEvent[]; isOver: boolean }> {
    const events = await this.events(order);
    if (!events.some(({ status }) => TRANSITIONS[status].length === 0)) return { events, isOver: false };
    // The undo was owed in the commit that has ended the order. When none is owed now, it has ended, and its event is there.
    const [undo] = await readPrepared<{ isOwed: boolean }>(this.orders.manager.dataSource, selectIsUndoOwed(order.id));
    return undo?.isOwed === true ? { events, isOver: false } : { events: await this.events(order), isOver: true };
  }
}

function listOf(status: OrderStatus | undefined): CountedList {
  if (status === undefined) {
    return { name: 'orders', counts: ORDER_STATUSES.map((each) => `orders:${each}`), rows: 'orders WHERE true' };
  }
  return { name: `orders-${status}`, counts: [`orders:${status}`], rows: `orders WHERE status = '${status}'` };
}
