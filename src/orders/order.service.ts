import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, type Repository } from 'typeorm';
import { ProductCache } from '../cache/product-cache.js';
import { offsetOf, type Page, toPage } from '../common/page.js';
import { Config } from '../config/config.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { Product } from '../products/product.entity.js';
import type { ListOrdersQuery } from './dto/list-orders.query.js';
import { takeOptimistically } from './optimistic-stock.js';
import { OrderDispatcher } from './order-dispatcher.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { OrderNotFoundError } from './order.errors.js';
import { type PricedItem, priceItems, totalOf } from './priced-item.js';
import { mergeItems, type RequestedItem } from './requested-item.js';

/** Sells: takes stock and writes orders, all or nothing. */
@Injectable()
export class OrderService {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly transactions: TransactionRunner,
    private readonly cache: ProductCache,
    private readonly dispatcher: OrderDispatcher,
    private readonly config: Config,
  ) {}

  /**
   * Buys all items or none of them. When it returns, the order is on disk and its stock is taken. The worker is told
   * after that, without waiting for Redis: should the word be lost, the sweep finds the `pending` row.
   *
   * @throws ValidationError, ProductNotFoundError, InsufficientStockError, OrderTotalTooLargeError: nothing has changed.
   * @throws LockTimeoutError when others hold a product for too long: nothing has changed.
   */
  async create(requested: readonly RequestedItem[]): Promise<Order> {
    const items = mergeItems(requested);
    const order = await this.transactions.run(async (manager) => {
      const priced = await this.takeStock(manager, items);
      return this.write(manager, priced);
    });
    await this.cache.drop(items.map(({ productId }) => productId));
    this.dispatcher.dispatch(order.id);
    return order;
  }

  async list({ status, ...request }: ListOrdersQuery): Promise<Page<Order>> {
    const [orders, total] = await this.orders.findAndCount({
      where: status === undefined ? {} : { status },
      relations: { items: true },
      relationLoadStrategy: 'query',
      order: { id: 'DESC' },
      skip: offsetOf(request),
      take: request.page_size,
    });
    return toPage(orders, total, request);
  }

  /** @throws OrderNotFoundError */
  async get(id: number): Promise<Order> {
    const order = await this.orders.findOne({ where: { id }, relations: { items: true } });
    return order ?? this.throwNotFound(id);
  }

  /**
   * The order without its items.
   *
   * @throws OrderNotFoundError
   */
  async getStatus(id: number): Promise<Order> {
    const order = await this.orders.findOneBy({ id });
    return order ?? this.throwNotFound(id);
  }

  private async takeStock(manager: EntityManager, items: readonly RequestedItem[]): Promise<PricedItem[]> {
    if (this.config.orders.locking === 'optimistic') return takeOptimistically(manager, items);
    const priced = priceItems(items, await this.lockProducts(manager, items));
    await manager.query(
      `UPDATE products SET stock = stock - item.quantity
       FROM unnest($1::bigint[], $2::integer[]) AS item (product_id, quantity)
       WHERE products.id = item.product_id`,
      [priced.map(({ productId }) => productId), priced.map(({ quantity }) => quantity)],
    );
    return priced;
  }

  /** In ascending id, as everywhere: two orders of the same products wait for each other instead of deadlocking. */
  private async lockProducts(manager: EntityManager, items: readonly RequestedItem[]): Promise<Product[]> {
    return manager.find(Product, {
      where: { id: In(items.map(({ productId }) => productId)) },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
  }

  private async write(manager: EntityManager, items: readonly PricedItem[]): Promise<Order> {
    const order = manager.create(Order, { totalPrice: totalOf(items) });
    await manager.insert(Order, order);
    order.items = items.map((item) => manager.create(OrderItem, { ...item, orderId: order.id }));
    await manager.insert(OrderItem, order.items);
    return order;
  }

  private throwNotFound(id: number): never {
    throw new OrderNotFoundError(id);
  }
}
