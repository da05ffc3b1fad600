import type { StockRequest } from './stock-request.js';

/** What is counted beside the stock, under the same locks: each request that is decided on adds to it. */
export interface Tally {
  /** @throws an ApplicationError when the request would be beyond a limit. */
  readonly expectWithin: (request: StockRequest) => void;
  /** Adds a request that was granted. */
  readonly add: (request: StockRequest) => void;
}
