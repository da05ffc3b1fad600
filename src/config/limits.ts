/**
 * The limits that clients and operators may meet. What only tunes a mechanism stands in its file. Production code reads them at the
 * moment when it needs them, except for the options of BullMQ's workers, which are read once. A test compares docs/guarantees.md with
 * them; tests whose subject is not a limit relax those of time (test/support/limits.ts).
 */
export const LIMITS: Limits = {
  purchasesPerBatch: 128,
  itemsPerBatch: 512,
  purchaseBatchesInFlight: 2,
  purchasesWaiting: 2_000,
  answerMs: 4_500,
  commitMs: 1_000,
  purchaseTurnMs: 1_000,
  optimisticRetryMs: 1_000,
  readsWaiting: 5_000,
  listsInFlight: 8,
  readTurnMs: 1_000,
  dispatchesWaiting: 10_000,

  connectionsWaiting: 1_000,
  connectionStallMs: 1_000,
  connectMs: 2_000,
  lockMs: 1_200,
  statementMs: 1_500,
  transactionMs: 1_800,
  answerMarginMs: 400,
  transactionRetryMs: 1_500,
  commitLookUpMs: 1_500,

  refusalSeconds: 300,
  customerReservations: 100,
  endedReservationSeconds: 2_592_000,
  auditSliceBytes: 268_435_456,

  cacheCommandMs: 50,
  readinessMs: 1_000,

  slotPatienceMs: 200,
  jobLockMs: 10_000,
  stalledCheckMs: 5_000,
  stallsTogether: 2,
  stalls: 5,
  cancellationLookMs: 4_000,
  heartbeatMs: 5_000,
  workerSilenceMs: 15_000,
  eventLoopStallMs: 30_000,

  subscriberCallMs: 10_000,
  subscriberTries: 20,
  subscriberBackoffMs: 1_000,
  subscriptionHoldMs: 30_000,

  guessesPerMinute: 10,
  callerRequests: 1_000,
  addressRequests: 100,
  requestBytes: 512,
  customerKeys: 10_000,
  dashboardRequests: 100,
  dashboardRequestsAtOnce: 8,
  dashboardJobs: 100,
  customerStreams: 20,
  keysRefreshMs: 1_000,
  keysKeptMs: 60_000,
  issuerMs: 2_000,
  issuerPauseMs: 10_000,

  requestsWaiting: 10_000,
  beginMs: 2_000,
  bodyBytes: 1_048_576,
  bodyValues: 1_000,
  bodyLevels: 5,
  requestMs: 30_000,
  readerMs: 30_000,
  unreadBytes: 134_217_728,
  keepAliveMs: 72_000,
};

export interface Limits {
  /** Purchases committed together. */
  readonly purchasesPerBatch: number;
  /** Items of purchases committed together: rows to be locked and written. */
  readonly itemsPerBatch: number;
  readonly purchaseBatchesInFlight: number;
  /** Of more, the one whose turn is last is refused at once. */
  readonly purchasesWaiting: number;
  /** The longest that all work for a request takes together, waits included. */
  readonly answerMs: number;
  /** What is kept of it for the commit: one that has not begun by then is not made. */
  readonly commitMs: number;
  /** The longest that a purchase waits for its turn. */
  readonly purchaseTurnMs: number;
  /** How long an optimistic sale is tried again that was refused for stock which has come back since. */
  readonly optimisticRetryMs: number;
  readonly readsWaiting: number;
  /** Lists and searches that one API process reads at once. */
  readonly listsInFlight: number;
  /** The longest that a read waits for its turn. */
  readonly readTurnMs: number;
  /** Orders waiting to be dispatched in one process; the sweep finds the rest. */
  readonly dispatchesWaiting: number;

  /** Requests waiting for a connection of the pool. */
  readonly connectionsWaiting: number;
  /** When no connection was given out for so long while requests wait, a further request is refused at once. */
  readonly connectionStallMs: number;
  /** How long a request waits for a connection, whether PostgreSQL is slow to give one or all are in use. */
  readonly connectMs: number;
  /** `lockMs`, `statementMs` and `transactionMs` are defaults. A deployment may set each of the three, up to `transactionMs`. */
  readonly lockMs: number;
  readonly statementMs: number;
  readonly transactionMs: number;
  /** How long the answer to a statement may be late before its connection is given up as dead and closed. */
  readonly answerMarginMs: number;
  /** No retry begins later than this after the first attempt: PostgreSQL takes a second to see a deadlock. */
  readonly transactionRetryMs: number;
  /** How long after a broken commit PostgreSQL is asked what became of it. */
  readonly commitLookUpMs: number;

  /** How long a refusal is kept for its idempotency key, at least. */
  readonly refusalSeconds: number;

  /** Reservations that one customer may have at a time. */
  readonly customerReservations: number;
  /** How long a reservation that was released or has expired is kept, at least; and no shorter than an idempotency key. */
  readonly endedReservationSeconds: number;
  /** An audit looks at so much of the ledger at one moment. */
  readonly auditSliceBytes: number;

  /** The longest that one command to the cache's Redis may keep a reader or a writer waiting. */
  readonly cacheCommandMs: number;
  /** The longest that a readiness answer takes. */
  readonly readinessMs: number;

  /** Orders of a dispatch that are not begun by then get jobs of their own, which any worker may take. */
  readonly slotPatienceMs: number;
  /** A job whose worker died is given to another one when its lock has run out and the next check has passed. */
  readonly jobLockMs: number;
  readonly stalledCheckMs: number;
  /** A job that lost its worker so often is tried alone. */
  readonly stallsTogether: number;
  /** A job that lost its worker more often than this is a dead letter. */
  readonly stalls: number;
  /** How often a worker looks whether orders were cancelled whose external call is under way. */
  readonly cancellationLookMs: number;
  /** How often a worker touches its heartbeat file, and its row in PostgreSQL. */
  readonly heartbeatMs: number;
  /** A worker that has not been seen for so long is taken for dead. */
  readonly workerSilenceMs: number;
  /** A process ends itself when its event loop has not turned for so long. */
  readonly eventLoopStallMs: number;

  /** How long a subscriber may take for an event. */
  readonly subscriberCallMs: number;
  /** An event that failed as often is parked. */
  readonly subscriberTries: number;
  /** The wait after the first failed try; it grows to five minutes. */
  readonly subscriberBackoffMs: number;
  /** The lease of a subscription: when a worker is gone, another one takes over after so long. */
  readonly subscriptionHoldMs: number;

  /** Wrong credentials from one address that are looked at. */
  readonly guessesPerMinute: number;
  /** Requests a second of a caller that is known, and of an address, unless `RATE_LIMIT` says otherwise. */
  readonly callerRequests: number;
  readonly addressRequests: number;
  /** So many bytes of its body count as one request more. */
  readonly requestBytes: number;
  /** Requests a second of a caller of the dashboard; requests to its API that are worked on at once; jobs of a page. */
  readonly dashboardRequests: number;
  readonly dashboardRequestsAtOnce: number;
  readonly dashboardJobs: number;
  /** Requests with an `Idempotency-Key` that a customer may send in a day: what each leaves is kept. */
  readonly customerKeys: number;
  /** Streams of events that a customer may follow in one process; other callers that are known half of `MAX_STREAMS`. */
  readonly customerStreams: number;
  /** How often a process looks whether keys have changed. */
  readonly keysRefreshMs: number;
  /** How long the keys that were read last hold while PostgreSQL does not answer; and a token whose signature was verified. */
  readonly keysKeptMs: number;
  /** The longest that the issuer of tokens is waited for. */
  readonly issuerMs: number;
  /** How long it is not asked again after it did not answer, or did not know a key. */
  readonly issuerPauseMs: number;

  /** Requests that wait to be begun, and the longest that one of them waits. */
  readonly requestsWaiting: number;
  readonly beginMs: number;
  readonly bodyBytes: number;
  readonly bodyValues: number;
  readonly bodyLevels: number;
  /** Within this a request must be there with all of its body. */
  readonly requestMs: number;
  /** The longest that a client may leave an answer unread. */
  readonly readerMs: number;
  /** What all clients of a process together may leave unread of their answers. */
  readonly unreadBytes: number;
  /** The longest that a connection is kept open between two requests. */
  readonly keepAliveMs: number;
}
