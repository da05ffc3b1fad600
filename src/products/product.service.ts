import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { recordAction } from '../actions/action.js';
import { queryWithin } from '../database/prepared-statement.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../idempotency/idempotent-request.js';
import { type Cents, formatCents } from '../kernel/money.js';
import { currentOrigin } from '../runtime/request-context.js';
import { nameMaker } from '../stock/stock-ledger.js';
import { ProductNotFoundError } from '../stock/stock.errors.js';
import { StockService } from '../stock/stock.service.js';
import { ProductCache } from './product-cache.js';
import { Product } from './product.entity.js';
import { ProductChangedError } from './product.errors.js';
import type { LiveProduct } from './product-row.js';
import { storedProduct } from './stored-product.js';

/** The fields of a product that its owner sets. */
export interface ProductFields {
  readonly name: string;
  readonly price: Cents;
  /** Units that can be sold. */
  readonly stock: number;
  /** Units that one customer may have; null for any number. */
  readonly maxPerCustomer: number | null;
}

/** Whether a product, whose row is locked, is what the caller has seen. */
export type Precondition = (product: LiveProduct) => boolean;

/** Changes the catalogue. A changed product is dropped from the cache after the change is committed, never before. */
@Injectable()
export class ProductService {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly stock: StockService,
    private readonly cache: ProductCache,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** The trigger `products_record_initial_stock` records the initial stock in the ledger. */
  async create(fields: ProductFields, request?: IdempotentRequest): Promise<Performed<LiveProduct>> {
    return this.idempotency.run(request, storedProduct, async (manager) => {
      await queryWithin(manager, nameMaker(currentOrigin()));
      const product = snapshotOf(await manager.save(manager.create(Product, fields)));
      await recordAction(manager, 'product.created', { product_id: product.id, after: toldOf(product) });
      return product;
    });
  }

  /**
   * Changes the given fields and leaves the others, under the row's lock: a sale in between is not overwritten. A stock that
   * differs is an adjustment.
   *
   * @throws ProductNotFoundError, and ProductChangedError when the precondition does not hold: nothing has changed.
   */
  async update(id: number, fields: Partial<ProductFields>, isExpected?: Precondition): Promise<LiveProduct> {
    const { name, price, stock, maxPerCustomer } = fields;
    return this.change(id, isExpected, async (manager, product) => {
      const before = toldOf(product);
      if (stock !== undefined && stock !== product.stock) {
        const adjustment = { delta: stock - product.stock, reason: 'set by PUT' };
        // The entity gets what the statement has written, so that `save` sees no difference and writes neither again.
        product.updatedAt = (await this.stock.adjustLocked(manager, product, adjustment)).changedAt;
        product.stock = stock;
      }
      if (maxPerCustomer === null) await this.stock.forgetCustomers(manager, id);
      product.maxPerCustomer = maxPerCustomer === undefined ? product.maxPerCustomer : maxPerCustomer;
      product.name = name ?? product.name;
      product.price = price ?? product.price;
      const changed = snapshotOf(await manager.save(product));
      await recordChange(manager, id, { before, after: toldOf(changed) });
      return changed;
    });
  }

  /**
   * Takes a product out of the catalogue. Its row stays for the orders that hold it.
   *
   * @throws ProductNotFoundError, and ProductChangedError when the precondition does not hold: nothing has changed.
   */
  async remove(id: number, isExpected?: Precondition): Promise<void> {
    await this.change(id, isExpected, async (manager, product) => {
      await manager.softRemove(product);
      await recordAction(manager, 'product.deleted', { product_id: id, before: toldOf(product) });
    });
  }

  /** Drops the cached product also when the change failed: its outcome may be unknown, and a drop does no harm. */
  private async change<T>(
    id: number,
    isExpected: Precondition | undefined,
    work: (manager: EntityManager, product: Product) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.transactions.run(async (manager) => {
        const product = await manager.findOne(Product, { where: { id }, lock: { mode: 'pessimistic_write' } });
        if (product === null) throw new ProductNotFoundError(id);
        if (isExpected?.(snapshotOf(product)) === false) throw new ProductChangedError();
        return work(manager, product);
      });
    } finally {
      await this.cache.drop([id]);
    }
  }
}

type Told = Readonly<Record<string, string | number | null>>;

/** The fields that an owner sets, by their names in the API, for the actions: the price as decimal text. */
function toldOf({ name, price, stock, maxPerCustomer }: Product | LiveProduct): Told {
  return { name, price: formatCents(price), stock, max_per_customer: maxPerCustomer };
}

/** Those fields that were changed, if any, as they were and as they are. */
async function recordChange(
  manager: EntityManager,
  id: number,
  { before, after }: { before: Told; after: Told },
): Promise<void> {
  const names = Object.keys(after).filter((name) => before[name] !== after[name]);
  if (names.length === 0) return;
  const only = (told: Told) => Object.fromEntries(names.map((name) => [name, told[name]]));
  await recordAction(manager, 'product.changed', { product_id: id, before: only(before), after: only(after) });
}

function snapshotOf({ id, name, price, stock, maxPerCustomer, createdAt, updatedAt }: Product): LiveProduct {
  return { id, name, price, stock, maxPerCustomer, createdAt, updatedAt };
}
