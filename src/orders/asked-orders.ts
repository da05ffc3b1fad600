import type { QueryConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { readPrepared } from '../database/prepared-statement.js';
import type { OwnedId } from '../kernel/access/owner.js';
import { fulfilled, type Outcome, rejected } from '../kernel/outcome.js';
import { Batcher } from '../runtime/batching/batcher.js';
import { withTimeBudget } from '../runtime/request-context.js';
import type { AskedRow } from './order-rows.js';
import { OrderNotFoundError } from './order.errors.js';

/** Orders that arrive while others are read are read together. The histories of so many are fifty thousand rows at worst. */
const BATCHING = () => ({
  maxBatchSize: 50,
  maxInFlight: 3,
  overlapAfterMs: 20,
  ownerOf: ({ owner }: OwnedId) => owner ?? undefined,
  maxWaiting: LIMITS.readsWaiting,
  maxWaitMs: LIMITS.readTurnMs,
});

/** What is read of an order, by the one statement that finds it. */
export interface OrderRead<Row extends AskedRow, Result> {
  readonly select: (asked: readonly OwnedId[]) => QueryConfig;
  /** @param rows of one order, in the order of the statement. */
  readonly toResult: (rows: readonly [Row, ...Row[]], order: OwnedId) => Result;
}

/** Reads orders of which many are asked for at once, each with a caller of its own. */
export class AskedOrders<Row extends AskedRow, Result> {
  private readonly reads = new Batcher<OwnedId, Result>(
    (asked) => withTimeBudget(LIMITS.answerMs - LIMITS.readTurnMs, () => this.load(asked)),
    BATCHING(),
  );

  constructor(
    private readonly dataSource: DataSource,
    private readonly read: OrderRead<Row, Result>,
  ) {}

  /**
   * @throws OrderNotFoundError
   * @throws OverloadedError when too many reads wait.
   */
  async get(order: OwnedId): Promise<Result> {
    // What is no id of PostgreSQL's would fail the others with it.
    if (!Number.isSafeInteger(order.id)) throw new OrderNotFoundError(order.id);
    return this.reads.submit(order);
  }

  /** One for each that is asked for, in their order; `undefined` for what there is not. */
  async find(asked: readonly OwnedId[]): Promise<(Result | undefined)[]> {
    const rows = await readPrepared<Row>(this.dataSource, this.read.select(asked));
    const ofPlaces = new Map<number, [Row, ...Row[]]>();
    for (const row of rows) {
      const before = ofPlaces.get(row.place);
      if (before === undefined) ofPlaces.set(row.place, [row]);
      else before.push(row);
    }
    return asked.map((order, index) => {
      const found = ofPlaces.get(index + 1);
      return found && this.read.toResult(found, order);
    });
  }

  private async load(asked: readonly OwnedId[]): Promise<Outcome<Result>[]> {
    const results = await this.find(asked);
    return results.map((result, index) =>
      result === undefined ? rejected(new OrderNotFoundError(asked[index]?.id ?? 0)) : fulfilled(result),
    );
  }
}
