import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import { type Listing, toPage } from '../http/paging/page.js';
import { type CountedList, RowCounts } from '../database/row-counts.js';
import type { ListOrdersQuery } from './dto/list-orders.query.js';
import { ORDER_STATUSES, type OrderStatus } from './order-status.js';
import { Order } from './order.entity.js';
import { OrderNotFoundError } from './order.errors.js';

/** Orders as they stand in the database. */
@Injectable()
export class OrderReaderService {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly counts: RowCounts,
  ) {}

  async list({ status, ...request }: ListOrdersQuery): Promise<Listing<Order>> {
    const { total, ids, next } = await this.counts.page(listOf(status), request);
    const orders = await this.orders.find({
      // Asked again: a worker may have moved one of them on in between.
      where: { id: In(ids), ...(status === undefined ? {} : { status }) },
      relations: { items: true },
      relationLoadStrategy: 'query',
      order: { id: 'DESC' },
    });
    return { page: toPage(orders, total, request), next };
  }

  /** @throws OrderNotFoundError */
  async get(id: number): Promise<Order> {
    const order = await this.orders.findOne({ where: { id }, relations: { items: true } });
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
}

function listOf(status: OrderStatus | undefined): CountedList {
  if (status === undefined) {
    return { name: 'orders', counts: ORDER_STATUSES.map((each) => `orders:${each}`), rows: 'orders WHERE true' };
  }
  return { name: `orders-${status}`, counts: [`orders:${status}`], rows: `orders WHERE status = '${status}'` };
}
