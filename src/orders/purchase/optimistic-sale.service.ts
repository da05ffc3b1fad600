import { Injectable } from '@nestjs/common';
import type { QueryConfig, QueryResultRow } from 'pg';
import { LIMITS } from '../../config/limits.js';
import { isDuplicate, isImpossibleValue, LockTimeoutError } from '../../database/database-errors.js';
import { readPrepared } from '../../database/prepared-statement.js';
import { TransactionRunner } from '../../database/transactions/transaction-runner.js';
import { isFinal, KeyTakenError } from '../../idempotency/idempotency.errors.js';
import { keepRefusals } from '../../idempotency/idempotency-key-writer.js';
import { selectKey, waitForKey } from '../../idempotency/idempotency-keys.js';
import type { IdempotentRequest } from '../../idempotency/idempotent-request.js';
import { NoAnswerError } from '../../kernel/no-answer.error.js';
import { parseCents } from '../../kernel/money.js';
import { priceItems, totalOf } from '../../stock/priced-item.js';
import { type StockRow, selectStocks } from '../../stock/stock-rows.js';
import { StockChanges } from '../../stock/stock-changes.js';
import { productIdsOf } from '../../stock/pipeline/stock-request.js';
import type { Order } from '../order.entity.js';
import { type SoldItem, toSoldOrder, writeOptimisticSale } from './optimistic-sale.js';
import type { Purchase } from './sale.js';

/** Of a product with a limit for customers, who are counted under its lock. Never told to a client: it is sold the other way. */
export class LimitedProductError extends Error {}

/** How often a sale is tried again that was refused for stock which has come back since. */
const MAX_RETRIES = 3;

/**
 * The other way to sell (`ORDER_LOCKING=optimistic`): each purchase by itself, in one statement. A purchase of one product takes no
 * lock beforehand; a purchase of several locks their rows in ascending id inside the statement.
 */
@Injectable()
export class OptimisticSaleService {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly changes: StockChanges,
  ) {}

  /** @throws what `OrderService.create` throws; LimitedProductError when it has to be sold under the row lock. */
  async sell(purchase: Purchase): Promise<Order> {
    try {
      const order = await this.sellOrRefuse(purchase);
      await this.changes.announce(productIdsOf([purchase]));
      return order;
    } catch (error) {
      if (error instanceof NoAnswerError) await this.changes.announce(productIdsOf([purchase]));
      throw error;
    }
  }

  private async sellOrRefuse(purchase: Purchase): Promise<Order> {
    let refusal: unknown;
    const deadline = performance.now() + LIMITS.optimisticRetryMs;
    for (let attempt = 0; attempt <= MAX_RETRIES && performance.now() < deadline; attempt++) {
      try {
        const order = toSoldOrder(await this.write<SoldItem>(purchase, writeOptimisticSale(purchase)));
        if (order !== undefined) return order;
      } catch (error) {
        if (isDuplicate(error)) throw new KeyTakenError();
        if (!isImpossibleValue(error)) throw error;
        refusal = error;
      }
      await this.explain(purchase).catch((error: unknown) => this.refuse(purchase, error));
    }
    // Each time the stock had come back by the look at it: other buyers are at the same products.
    throw new LockTimeoutError(refusal);
  }

  /**
   * Says why a sale was refused, as far as that can still be seen.
   *
   * @throws ProductNotFoundError, InsufficientStockError, OrderTotalTooLargeError, LimitedProductError
   */
  private async explain(purchase: Purchase): Promise<void> {
    const rows = await readPrepared<StockRow>(
      this.transactions.manager.dataSource,
      selectStocks(productIdsOf([purchase])),
    );
    if (rows.some(({ maxPerCustomer }) => maxPerCustomer !== null)) throw new LimitedProductError();
    const stocks = new Map(rows.map(({ id, price, stock }) => [id, { price: parseCents(price), stock }]));
    totalOf(priceItems(purchase.items, stocks));
  }

  /** Keeps a refusal for a client that asks again with the key, unless the key has another outcome meanwhile. */
  private async refuse(purchase: Purchase, error: unknown): Promise<never> {
    const { request } = purchase;
    if (request !== undefined && isFinal(error)) await this.write(purchase, keepRefusals([{ request, error }]));
    throw error;
  }

  /**
   * Commits one statement. Of two purchases with the same key the second waits until the first has ended.
   *
   * @throws KeyTakenError when the key, in either of its forms, has an outcome already.
   */
  private async write<Row extends QueryResultRow>({ request }: Purchase, statement: QueryConfig): Promise<Row[]> {
    return this.transactions.runPipelined(async (transaction) => {
      if (request !== undefined) await requireUnused(request, (each) => transaction.query(each));
      const rows = await transaction.query<Row>(statement);
      await transaction.commit();
      return rows;
    });
  }
}

async function requireUnused(
  request: IdempotentRequest,
  query: (statement: QueryConfig) => Promise<QueryResultRow[]>,
): Promise<void> {
  const [, used] = await Promise.all([query(waitForKey(request)), query(selectKey(request))]);
  if (used.length > 0) throw new KeyTakenError();
}
