import type { QueryResultRow } from 'pg';
import { hasWaitedTooLong, isDuplicate, mayConcernOne } from '../../database/database-errors.js';
import type { PipelinedTransaction } from '../../database/transactions/pipelined-transaction.js';
import type { TransactionRunner } from '../../database/transactions/transaction-runner.js';
import { isFinal, KeyTakenError } from '../../idempotency/idempotency.errors.js';
import { keepRefusals, type Refusal } from '../../idempotency/idempotency-key-writer.js';
import { selectTakenKeys } from '../../idempotency/idempotency-keys.js';
import { NoAnswerError } from '../../kernel/no-answer.error.js';
import { fulfilled, type Outcome, rejected } from '../../kernel/outcome.js';
import { LIMITS } from '../../config/limits.js';
import type { Batch } from '../../runtime/batching/batch.js';
import { Batcher } from '../../runtime/batching/batcher.js';
import { withTimeBudget } from '../../runtime/request-context.js';
import { inSpan } from '../../telemetry/tracing.js';
import { writeCustomerCounts } from '../customers/customer-counts.js';
import { type CustomerTally, tallyCustomers } from '../customers/customer-limit.js';
import type { LockedRow } from '../stock-rows.js';
import type { StockChanges } from '../stock-changes.js';
import { countSoldOut, decide } from './stock-decision.js';
import { productIdsOf, type StockRequest, type Taken, type TakenItem } from './stock-request.js';
import type { StockTaker } from './stock-taker.js';

/**
 * At most two batches run at once. The second starts on a shared product only after the first has sent `COMMIT`; before that it would
 * only wait for row locks. A product that another process locks delays one batch and its own buyers.
 */
const BATCHING = () => ({
  maxBatchSize: LIMITS.purchasesPerBatch,
  maxBatchWeight: LIMITS.itemsPerBatch,
  weightOf: ({ items }: StockRequest) => items.length,
  // A shop's own systems are a crowd of buyers each; a customer is one.
  ownerOf: ({ customerRef }: StockRequest) => customerRef ?? undefined,
  minBatchSize: 32,
  maxInFlight: LIMITS.purchaseBatchesInFlight,
  maxWaiting: LIMITS.purchasesWaiting,
  maxWaitMs: LIMITS.purchaseTurnMs,
  keysOf: ({ items }: StockRequest) => items.map(({ productId }) => productId),
  // A request with a key may not join late, because the batch has already looked its keys up.
  mayJoinLate: ({ request }: StockRequest) => request === undefined,
});

/**
 * Takes stock. Requests that arrive while others are being committed are committed together, in the order of their turns, under the row
 * locks of their products: one flush to disk pays for all of them. See docs/decisions/0003-order-batching.md.
 */
export class StockPipeline<R extends StockRequest, Row extends QueryResultRow, T> {
  private readonly batcher: Batcher<R, T>;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly changes: StockChanges,
    private readonly taker: StockTaker<R, Row, T>,
  ) {
    this.batcher = new Batcher<R, T>((_requests, batch) => this.serve(batch), BATCHING());
  }

  /**
   * Takes all items of the request or none. When it resolves, what was written is on disk. A request whose client is gone
   * (`isGone`) before its turn comes is not served.
   *
   * @throws ProductNotFoundError, InsufficientStockError, OrderTotalTooLargeError, KeyTakenError: nothing has changed.
   * @throws LockTimeoutError, OverloadedError when it takes too long to get a turn: nothing has changed.
   */
  async submit(request: R, isGone?: () => boolean): Promise<T> {
    return this.batcher.submit(request, isGone);
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.batcher.waitingCount;
  }

  /** A batch belongs to no request: its span is linked to those of its requests, also of the ones that join late. */
  private async serve(batch: Batch<R>): Promise<Outcome<T>[]> {
    const traces = () => batch.items().flatMap(({ trace }) => trace ?? []);
    const links = traces();
    if (links.length === 0) return this.serveAll(batch);
    return inSpan('stock batch', { links }, async (span) => {
      const outcomes = await this.serveAll(batch);
      span.addLinks(
        traces()
          .slice(links.length)
          .map((context) => ({ context })),
      );
      span.setAttribute('order_system.batch.size', outcomes.length);
      return outcomes;
    });
  }

  /** What fails for the whole batch is the outcome of each request. */
  private async serveAll(batch: Batch<R>): Promise<Outcome<T>[]> {
    // The requests that have waited longest have so much of their budget left.
    const outcomes = await withTimeBudget(LIMITS.answerMs - LIMITS.purchaseTurnMs, () =>
      this.takeTogether(batch),
    ).catch((reason: unknown) => batch.items().map(() => rejected(reason)));
    this.taker.observer?.served({ size: batch.items().length, waitedMs: batch.waitedMs });
    const changed = batch.items().filter((_request, index) => mayHaveChanged(outcomes[index]));
    await this.changes.announce(productIdsOf(changed));
    return outcomes;
  }

  /**
   * Serves the batch in one transaction. After a lock timeout it serves again only the requests whose products are free. After an error
   * that one request may have caused, it serves each request in a transaction of its own: no request fails for its neighbour.
   */
  private async takeTogether(batch: Batch<R>): Promise<Outcome<T>[]> {
    try {
      return await this.take(batch, 'all').catch((error: unknown) => {
        if (!hasWaitedTooLong(error)) throw error;
        return this.take(closed(batch.items()), 'free');
      });
    } catch (error) {
      const requests = batch.items();
      if (requests.length === 1 && isDuplicate(error)) throw new KeyTakenError();
      if (requests.length === 1 || !mayConcernOne(error)) throw error;
      return this.takeOneByOne(requests);
    }
  }

  private async takeOneByOne(requests: readonly R[]): Promise<Outcome<T>[]> {
    const outcomes: Outcome<T>[] = [];
    for (const request of requests) {
      outcomes.push(...(await this.takeTogether(closed([request])).catch((reason: unknown) => [rejected(reason)])));
    }
    return outcomes;
  }

  /** Locks `all` products, however long other transactions hold them, or only the `free` ones. */
  private async take(batch: Batch<R>, which: 'all' | 'free'): Promise<Outcome<T>[]> {
    return this.transactions.runPipelined(async (transaction) => {
      const asked = batch.items();
      const begin = performance.now();
      // Both are sent at once. PostgreSQL runs them in this order, so it looks the keys up after it has granted the locks.
      const [locked, takenKeys] = await Promise.all([
        transaction.query<LockedRow>({
          name: `${this.taker.locks.name}-${which}`,
          text: this.taker.locks[which],
          values: [productIdsOf(asked)],
        }),
        takenKeysOf(asked, transaction),
      ]);
      this.taker.observer?.locked(performance.now() - begin);
      const requests = [...asked, ...batch.takeLate()];
      const [customers, ...others] = await Promise.all([
        tallyCustomers(requests, locked, transaction),
        ...(this.taker.tally === undefined ? [] : [this.taker.tally(requests, locked, transaction)]),
      ]);
      const tallies = [...(customers.isEmpty ? [] : [customers]), ...others];
      const decisions = decide(requests, { locked, takenKeys, tallies });
      const { hasWritten, outcomes } = await this.write(requests, { decisions, customers }, transaction);
      const ending = hasWritten ? transaction.commit() : transaction.rollBack();
      batch.freeKeys(); // The end is sent: the next batch may ask for the same locks now.
      await ending;
      this.taker.observer?.soldOut(countSoldOut(decisions));
      return outcomes;
    });
  }

  /** Writes what was taken, and the refusals of requests that may be sent again. */
  private async write(
    requests: readonly R[],
    { decisions, customers }: { decisions: readonly Outcome<TakenItem[]>[]; customers: CustomerTally },
    transaction: PipelinedTransaction,
  ): Promise<{ hasWritten: boolean; outcomes: Outcome<T>[] }> {
    const { taken, refusals } = partition(requests, decisions);
    const [kept, rows] = await Promise.all([
      refusals.length > 0 ? transaction.query<{ key: string }>(keepRefusals(refusals)) : [],
      taken.length > 0 ? transaction.query<Row>(this.taker.write(taken)) : [],
      customers.changes.length > 0 ? transaction.query(writeCustomerCounts(customers.changes)) : [],
    ]);
    const results = (taken.length > 0 ? this.taker.toResults(rows, taken) : []).values();
    const keptKeys = new Set(kept.map(({ key }) => key));
    // Another request has used the key since it was looked up; that request's outcome is the answer.
    const isUsed = new Set(refusals.flatMap(({ request }) => (keptKeys.has(request.sentKey) ? [] : request)));
    const outcomes = decisions.map((decision, index) => {
      const request = requests[index]?.request;
      if (decision.status === 'rejected') {
        return request !== undefined && isUsed.has(request) ? rejected(new KeyTakenError()) : decision;
      }
      const { value, done } = results.next();
      if (done === true) throw new Error('PostgreSQL wrote less than was taken');
      return fulfilled(value);
    });
    return { hasWritten: taken.length + refusals.length > 0, outcomes };
  }
}

/** A batch that takes nobody in. */
function closed<R>(requests: readonly R[]): Batch<R> {
  return { waitedMs: 0, items: () => requests, takeLate: () => [], freeKeys: () => undefined };
}

async function takenKeysOf(asked: readonly StockRequest[], transaction: PipelinedTransaction): Promise<string[]> {
  const requests = asked.flatMap(({ request }) => request ?? []);
  if (requests.length === 0) return [];
  const rows = await transaction.query<{ key: string }>(selectTakenKeys(requests));
  return rows.map(({ key }) => key);
}

/** The requests whose stock is taken, and the refusals to be kept for a client that asks again with the key. */
function partition<R extends StockRequest>(
  requests: readonly R[],
  decisions: readonly Outcome<TakenItem[]>[],
): { taken: Taken<R>[]; refusals: Refusal[] } {
  const taken: Taken<R>[] = [];
  const refusals: Refusal[] = [];
  requests.forEach((asked, index) => {
    const decision = decisions[index];
    if (decision?.status === 'fulfilled') taken.push({ asked, items: decision.value });
    else if (asked.request !== undefined && isFinal(decision?.reason)) {
      refusals.push({ request: asked.request, error: decision.reason });
    }
  });
  return { taken, refusals };
}

/** Also when the outcome of its commit is not known. */
function mayHaveChanged<T>(outcome: Outcome<T> | undefined): boolean {
  return outcome?.status === 'fulfilled' || outcome?.reason instanceof NoAnswerError;
}
