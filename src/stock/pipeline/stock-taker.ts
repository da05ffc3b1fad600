import type { QueryConfig, QueryResultRow } from 'pg';
import type { PipelinedTransaction } from '../../database/transactions/pipelined-transaction.js';
import type { LockedRow, LockTexts } from '../stock-rows.js';
import type { StockRequest, Taken } from './stock-request.js';
import type { Tally } from './tally.js';

/** Is told how batches go, for the metrics of a feature. */
export interface BatchObserver {
  /** @param waitedMs of the request that came first. */
  readonly served: (batch: { readonly size: number; readonly waitedMs: number }) => void;
  readonly locked: (milliseconds: number) => void;
  /** Units of so many products were taken to the last one. */
  readonly soldOut: (products: number) => void;
}

/** What a feature gives the pipeline: how to lock products, write the owners of the stock, and build the results. */
export interface StockTaker<R extends StockRequest, Row extends QueryResultRow, T> {
  readonly locks: LockTexts;
  /** One statement that takes the stock of all requests and writes what owns it. */
  readonly write: (taken: readonly Taken<R>[]) => QueryConfig;
  /** What the statement has made for each request, in their order. It throws when anything is missing: nothing is committed then. */
  readonly toResults: (rows: readonly Row[], taken: readonly Taken<R>[]) => readonly T[];
  readonly observer?: BatchObserver;
  /** What else is to be counted; nothing else unless given. */
  readonly tally?: (
    requests: readonly R[],
    locked: readonly LockedRow[],
    transaction: Pick<PipelinedTransaction, 'query'>,
  ) => Promise<Tally>;
}
