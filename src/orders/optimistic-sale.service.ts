import { Injectable } from '@nestjs/common';
import { DatabaseUnavailableError, isDuplicate, isImpossibleValue } from '../database/database-errors.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { isFinal, KeyTakenError } from '../idempotency/idempotency.errors.js';
import { keepErrors } from '../idempotency/idempotency-keys.js';
import { explainRefusal, optimisticSaleOf } from './optimistic-sale.js';
import type { Order } from './order.entity.js';
import type { Purchase } from './purchase.js';

/** How often a sale is tried again that was refused for stock which has come back since. */
const MAX_RETRIES = 3;
const RETRY_TIMEOUT_MS = 1_000;

/** The other way to sell (`ORDER_LOCKING=optimistic`): each purchase by itself, in one statement, with no lock before it. */
@Injectable()
export class OptimisticSaleService {
  constructor(private readonly transactions: TransactionRunner) {}

  /** @throws what `OrderService.create` throws. */
  async sell(purchase: Purchase): Promise<Order> {
    let failure: Error = new DatabaseUnavailableError();
    const deadline = performance.now() + RETRY_TIMEOUT_MS;
    for (let attempt = 0; attempt <= MAX_RETRIES && performance.now() < deadline; attempt++) {
      const order = await this.transactions.write(optimisticSaleOf(purchase)).catch((error: unknown) => {
        if (isDuplicate(error)) throw new KeyTakenError();
        if (!isImpossibleValue(error)) throw error;
        if (error instanceof Error) failure = error;
        return undefined;
      });
      if (order !== undefined) return order;
      await explainRefusal(this.transactions.manager, purchase.items).catch((error: unknown) =>
        this.refuse(purchase, error),
      );
    }
    throw failure;
  }

  /** Keeps a refusal for who asks again with the key, unless somebody has been given another outcome meanwhile. */
  private async refuse({ request }: Purchase, error: unknown): Promise<never> {
    if (request !== undefined && isFinal(error)) {
      const kept = await this.transactions.writeRepeatable(keepErrors([{ request, error }]));
      if (kept.length === 0) throw new KeyTakenError();
    }
    throw error;
  }
}
