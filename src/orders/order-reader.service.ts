import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, type Repository } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readInBudget, readPrepared } from '../database/prepared-statement.js';
import { LIMITS } from '../config/limits.js';
import { withTimeBudget } from '../runtime/request-context.js';
import { ListReads } from '../database/lists/list-reads.js';
import { type CountedList, RowCounts } from '../database/lists/row-counts.js';
import { type Listing, offsetOf, type PageRequest } from '../kernel/page.js';
import { type OrderEvent, selectEvents, selectOrdersOfRequest } from './order-event.js';
import { selectIsUndoOwed } from './fulfilment-undo-writer.js';
import { ORDER_STATUSES, type OrderStatus, TRANSITIONS } from './order-status.js';
import { Order } from './order.entity.js';
import { OrderNotFoundError } from './order.errors.js';

/** Orders of one request that are found: a client may give all its requests the same id. */
const MAX_OF_REQUEST = 1_000;

/** Which orders a list has. */
interface OrderFilter {
  readonly status?: OrderStatus | undefined;
  /** Only those that a request with this id has bought or cancelled. */
  readonly requestId?: string | undefined;
}

/** Orders as they stand in the database. */
@Injectable()
export class OrderReaderService {
  constructor(
    @InjectRepository(Order, READS) private readonly orders: Repository<Order>,
    private readonly counts: RowCounts,
    private readonly lists: ListReads,
  ) {}

  /** @throws OverloadedError when too many lists are read. */
  async list(request: PageRequest, { status, requestId }: OrderFilter = {}): Promise<Listing<Order>> {
    return this.lists.run(() =>
      requestId === undefined ? this.read(request, status) : this.readOfRequest(requestId, request, status),
    );
  }

  /** @throws OrderNotFoundError */
  async get(id: number): Promise<Order> {
    return withTimeBudget(LIMITS.answerMs, () => readInBudget(this.find(id, this.orders.manager)));
  }

  /** The same by connections that have found the order's id a moment ago: others may still lead to a standby. */
  async find(id: number, manager: EntityManager): Promise<Order> {
    const order = await manager.findOne(Order, { where: { id }, relations: { items: true } });
    if (order === null) throw new OrderNotFoundError(id);
    return order;
  }

  /**
   * The order without its items.
   *
   * @throws OrderNotFoundError
   */
  async getStatus(id: number): Promise<Order> {
    const order = await this.orders.findOneBy({ id });
    if (order === null) throw new OrderNotFoundError(id);
    return order;
  }

  /**
   * The history of an order, from its beginning.
   *
   * @throws OrderNotFoundError
   */
  async events(id: number): Promise<OrderEvent[]> {
    const statement = selectEvents(id);
    const rows = await readPrepared<Omit<OrderEvent, 'sequence'> | { id: null }>(
      this.orders.manager.dataSource,
      statement,
    );
    if (rows.length === 0) throw new OrderNotFoundError(id);
    return rows.flatMap((row, index) => (row.id === null ? [] : { ...row, sequence: index + 1 }));
  }

  /** The same, and whether nothing comes any more: the order has ended, and owes the gateway no undo. @throws OrderNotFoundError */
  async progress(id: number): Promise<{ events: OrderEvent[]; isOver: boolean }> {
    const events = await this.events(id);
    if (!events.some(({ status }) => TRANSITIONS[status].length === 0)) return { events, isOver: false };
    // The undo was owed in the commit that has ended the order. When none is owed now, it has ended, and its event is there.
    const [undo] = await readPrepared<{ isOwed: boolean }>(this.orders.manager.dataSource, selectIsUndoOwed(id));
    return undo?.isOwed === true ? { events, isOver: false } : { events: await this.events(id), isOver: true };
  }

  private async readOfRequest(
    requestId: string,
    { page, pageSize }: PageRequest,
    status?: OrderStatus,
  ): Promise<Listing<Order>> {
    const statement = selectOrdersOfRequest(requestId, MAX_OF_REQUEST);
    const rows = await readPrepared<{ id: number }>(this.orders.manager.dataSource, statement);
    const [items, total] = await this.orders.findAndCount({
      where: { id: In(rows.map(({ id }) => id)), ...(status === undefined ? {} : { status }) },
      relations: { items: true },
      relationLoadStrategy: 'query',
      order: { id: 'DESC' },
      skip: offsetOf({ page, pageSize }),
      take: pageSize,
    });
    return { items, total, next: undefined };
  }

  private async read(request: PageRequest, status?: OrderStatus): Promise<Listing<Order>> {
    const { ids, ...found } = await this.counts.page(listOf(status), request);
    const items = await this.orders.find({
      // Asked again: a worker may have moved one of them on in between.
      where: { id: In(ids), ...(status === undefined ? {} : { status }) },
      relations: { items: true },
      relationLoadStrategy: 'query',
      order: { id: 'DESC' },
    });
    return { ...found, items };
  }
}

function listOf(status: OrderStatus | undefined): CountedList {
  if (status === undefined) {
    return { name: 'orders', counts: ORDER_STATUSES.map((each) => `orders:${each}`), rows: 'orders WHERE true' };
  }
  return { name: `orders-${status}`, counts: [`orders:${status}`], rows: `orders WHERE status = '${status}'` };
}
