import type { QueryConfig, QueryResultRow } from 'pg';
import { DatabaseUnavailableError, hasWaitedTooLong, isDuplicate, mayConcernOne } from '../database/database-errors.js';
import type { PipelinedTransaction } from '../database/pipelined-transaction.js';
import type { TransactionRunner } from '../database/transaction-runner.js';
import { isFinal, KeyTakenError } from '../idempotency/idempotency.errors.js';
import { keepRefusals, type Refusal } from '../idempotency/idempotency-key-writer.js';
import { selectTakenKeys } from '../idempotency/idempotency-keys.js';
import { NoAnswerError } from '../kernel/no-answer.error.js';
import { fulfilled, type Outcome, rejected } from '../kernel/outcome.js';
import { LIMITS } from '../config/limits.js';
import { type Batch, Batcher } from '../runtime/batcher.js';
import type { LockedRow, LockTexts } from './product-rows.js';
import type { StockChanges } from './stock-changes.js';
import { decide } from './stock-decision.js';
import { productIdsOf, type StockRequest, type Taken, type TakenItem } from './stock-request.js';

/**
 * Two batches in flight. They share no product, unless the first is committing already: otherwise the second would only wait for
 * the locks of the first. A product whose lock another process holds keeps one batch waiting, and its own buyers.
 */
const BATCHING = () => ({
  maxBatchSize: LIMITS.purchasesPerBatch,
  minBatchSize: 32,
  maxInFlight: LIMITS.purchaseBatchesInFlight,
  maxWaiting: LIMITS.purchasesWaiting,
  maxWaitMs: LIMITS.purchaseTurnMs,
  keysOf: (request: StockRequest) => productIdsOf([request]),
  // Idempotency keys are looked up when the locks are asked for.
  mayBeLate: ({ request }: StockRequest) => request === undefined,
});

/** What becomes of stock that is taken. */
export interface Taking<R extends StockRequest, Row extends QueryResultRow, T> {
  readonly locks: LockTexts;
  /** One statement that takes the stock of all requests and writes what owns it. */
  readonly write: (taken: readonly Taken<R>[]) => QueryConfig;
  /** What the statement has made for each request, in their order. It throws when anything is missing: nothing is committed then. */
  readonly toResults: (rows: readonly Row[], taken: readonly Taken<R>[]) => readonly T[];
}

/**
 * Takes stock. Requests that arrive while others are being committed are committed together, in order of arrival, under the row
 * locks of their products: one flush to disk pays for all of them. See docs/decisions/0003-order-batching.md.
 */
export class StockPipeline<R extends StockRequest, Row extends QueryResultRow, T> {
  private readonly batcher: Batcher<R, T>;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly changes: StockChanges,
    private readonly taking: Taking<R, Row, T>,
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

  /** What fails for the whole batch is the outcome of each request. */
  private async serve(batch: Batch<R>): Promise<Outcome<T>[]> {
    const outcomes = await this.takeTogether(batch).catch((reason: unknown) =>
      batch.items().map(() => rejected(reason)),
    );
    const changed = batch.items().filter((_request, index) => mayHaveChanged(outcomes[index]));
    await this.changes.announce(productIdsOf(changed));
    return outcomes;
  }

  /**
   * Serves the batch in one transaction. When that fails with nothing committed, for a reason that may concern one request of
   * many, it serves the requests that need no locked product, or all of them one by one: no request fails for its neighbour.
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
    const deadline = performance.now() + LIMITS.oneByOneMs;
    const outcomes: Outcome<T>[] = [];
    for (const request of requests) {
      if (performance.now() > deadline) outcomes.push(rejected(new DatabaseUnavailableError()));
      else
        outcomes.push(...(await this.takeTogether(closed([request])).catch((reason: unknown) => [rejected(reason)])));
    }
    return outcomes;
  }

  /** Locks `all` products, however long other transactions hold them, or only the `free` ones. */
  private async take(batch: Batch<R>, which: 'all' | 'free'): Promise<Outcome<T>[]> {
    return this.transactions.runPipelined(async (transaction) => {
      const asked = batch.items();
      const [locked, takenKeys] = await Promise.all([
        transaction.query<LockedRow>({
          name: `${this.taking.locks.name}-${which}`,
          text: this.taking.locks[which],
          values: [productIdsOf(asked)],
        }),
        takenKeysOf(asked, transaction),
      ]);
      const requests = [...asked, ...batch.takeLate()];
      const decisions = decide(requests, { locked, takenKeys });
      const { hasWritten, outcomes } = await this.write(requests, decisions, transaction);
      const ended = hasWritten ? transaction.commit() : transaction.rollBack();
      batch.freeKeys();
      await ended;
      return outcomes;
    });
  }

  /** Writes what was taken, and the refusals of requests that may be sent again. */
  private async write(
    requests: readonly R[],
    decisions: readonly Outcome<TakenItem[]>[],
    transaction: PipelinedTransaction,
  ): Promise<{ hasWritten: boolean; outcomes: Outcome<T>[] }> {
    const { taken, refusals } = sort(requests, decisions);
    const [kept, rows] = await Promise.all([
      refusals.length > 0 ? transaction.query<{ key: string }>(keepRefusals(refusals)) : [],
      taken.length > 0 ? transaction.query<Row>(this.taking.write(taken)) : [],
    ]);
    const results = (taken.length > 0 ? this.taking.toResults(rows, taken) : []).values();
    const keptKeys = new Set(kept.map(({ key }) => key));
    const lost = new Set(refusals.flatMap(({ request }) => (keptKeys.has(request.sentKey) ? [] : request)));
    const outcomes = decisions.map((decision, index) => {
      const request = requests[index]?.request;
      // Another request has used the key since it was looked up.
      if (decision.status === 'rejected') {
        return request !== undefined && lost.has(request) ? rejected(new KeyTakenError()) : decision;
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
  return { items: () => requests, takeLate: () => [], freeKeys: () => undefined };
}

async function takenKeysOf(asked: readonly StockRequest[], transaction: PipelinedTransaction): Promise<string[]> {
  const requests = asked.flatMap(({ request }) => request ?? []);
  if (requests.length === 0) return [];
  const rows = await transaction.query<{ key: string }>(selectTakenKeys(requests));
  return rows.map(({ key }) => key);
}

/** The requests whose stock is taken, and the refusals to be kept for a client that asks again with the key. */
function sort<R extends StockRequest>(
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
