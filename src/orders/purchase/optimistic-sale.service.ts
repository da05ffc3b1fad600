import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { LIMITS } from '../../config/limits.js';
import { isDuplicate, isImpossibleValue, LockTimeoutError } from '../../database/database-errors.js';
import { TransactionRunner, type Writes } from '../../database/transaction-runner.js';
import { isFinal, KeyTakenError } from '../../idempotency/idempotency.errors.js';
import type { IdempotentRequest } from '../../idempotency/idempotent-request.js';
import { keepErrors, selectKey, waitForKey } from '../../idempotency/idempotency-keys.js';
import { explainRefusal, optimisticSaleOf } from './optimistic-sale.js';
import type { Order } from '../order.entity.js';
import type { Purchase } from '../../stock/stock-request.js';

/** How often a sale is tried again that was refused for stock which has come back since. */
const MAX_RETRIES = 3;

/** The other way to sell (`ORDER_LOCKING=optimistic`): each purchase by itself, in one statement, with no lock before it. */
@Injectable()
export class OptimisticSaleService {
  constructor(private readonly transactions: TransactionRunner) {}

  /** @throws what `OrderService.create` throws. */
  async sell(purchase: Purchase): Promise<Order> {
    let refusal: unknown;
    const deadline = performance.now() + LIMITS.optimisticRetryMs;
    for (let attempt = 0; attempt <= MAX_RETRIES && performance.now() < deadline; attempt++) {
      const order = await this.write(purchase).catch((error: unknown) => {
        if (isDuplicate(error)) throw new KeyTakenError();
        if (!isImpossibleValue(error)) throw error;
        refusal = error;
        return undefined;
      });
      if (order !== undefined) return order;
      await explainRefusal(this.transactions.manager, purchase.items).catch((error: unknown) =>
        this.refuse(purchase, error),
      );
    }
    // Stock has come and gone each time: others are at the same products.
    throw new LockTimeoutError(refusal);
  }

  /** Of two with the same key the second waits until the first has ended. */
  private async write(purchase: Purchase): Promise<Order | undefined> {
    const { request } = purchase;
    const sale = optimisticSaleOf(purchase);
    return request === undefined ? this.transactions.write(sale) : this.withKey(request, sale);
  }

  /** Keeps a refusal for who asks again with the key, unless somebody has been given another outcome meanwhile. */
  private async refuse({ request }: Purchase, error: unknown): Promise<never> {
    if (request !== undefined && isFinal(error)) {
      await this.withKey(request, { statements: [keepErrors([{ request, error }])], toResult: () => undefined });
    }
    throw error;
  }

  /** @throws KeyTakenError when the key, in either of its forms, has an outcome already. */
  private async withKey<Written extends QueryResultRow, T>(
    request: IdempotentRequest,
    writes: Writes<Written, T>,
  ): Promise<T> {
    return this.transactions.lockThenWrite({
      lock: waitForKey(request),
      read: selectKey(request),
      decide: (_locked, used) => {
        if (used.length > 0) throw new KeyTakenError();
        return writes;
      },
    });
  }
}
