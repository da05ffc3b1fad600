import { type Limits, LIMITS } from '../../src/config/limits.js';

/** As production has them. */
export const REAL: Limits = { ...LIMITS };

/** Limits of time that a machine which is busy with other things does not reach either. */
export const RELAXED: Partial<Limits> = {
  answerMs: 120_000,
  beginMs: 20_000,
  purchaseTurnMs: 20_000,
  optimisticRetryMs: 20_000,
  readTurnMs: 20_000,
  connectionStallMs: 20_000,
  connectMs: 20_000,
  lockMs: 20_000,
  statementMs: 25_000,
  transactionMs: 30_000,
  answerMarginMs: 5_000,
  transactionRetryMs: 20_000,
  commitLookUpMs: 10_000,
  cacheCommandMs: 5_000,
  readinessMs: 10_000,
  slotPatienceMs: 10_000,
};

/** Changes limits of this process; production code reads them when it needs them. */
export function setLimits(limits: Partial<Limits>): void {
  Object.assign(LIMITS, limits);
}

/** For the tests of the file or block; what it starts has them. Without limits: the real ones. */
export function useLimits(limits: Partial<Limits> = REAL): void {
  let before: Limits;

  beforeAll(() => {
    before = { ...LIMITS };
    setLimits(limits);
  });

  afterAll(() => setLimits(before));
}
