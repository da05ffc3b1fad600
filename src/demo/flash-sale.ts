/** A moment of a sale. */
export interface SaleSample {
  /** Since the first purchase was sent. */
  readonly seconds: number;
  /** Units that are left. */
  readonly stock: number;
  /** Orders that are completed. */
  readonly completed: number;
}

/** A flash sale as far as it has come: many buyers want the last units of a product at once. */
export interface FlashSale {
  /** The buyers gather first: each opens a connection. */
  readonly step: 'gathering' | 'selling' | 'processing' | 'auditing' | 'finished' | 'failed';
  readonly startedAt: string;
  /** None before it is made. */
  readonly productId: number | null;
  readonly buyers: number;
  readonly units: number;
  readonly sold: number;
  readonly refused: number;
  /** Times that a purchase was sent again, with its key: after a 503, or without an answer. */
  readonly retries: number;
  /** Purchases that had no answer in the end, or one that is neither a sale nor a refusal. */
  readonly unanswered: number;
  readonly completed: number;
  /** Units that were sold and were not there; null until the sale is over. */
  readonly oversold: number | null;
  readonly audit: 'clean' | 'findings' | null;
  /** From the first purchase to the last answer. */
  readonly saleSeconds: number | null;
  readonly p99Seconds: number | null;
  /** When the worker was killed; null when it was not. */
  readonly workerKilledSeconds: number | null;
  readonly samples: readonly SaleSample[];
  /** Why the sale has failed, for a person. */
  readonly error: string | null;
}

export const BUYERS = 500;
export const UNITS = 100;

/** A sale before its first purchase. */
export function gatheringSale(): FlashSale {
  return {
    step: 'gathering',
    startedAt: new Date().toISOString(),
    productId: null,
    buyers: BUYERS,
    units: UNITS,
    sold: 0,
    refused: 0,
    retries: 0,
    unanswered: 0,
    completed: 0,
    oversold: null,
    audit: null,
    saleSeconds: null,
    p99Seconds: null,
    workerKilledSeconds: null,
    samples: [],
    error: null,
  };
}

/** Whether everything is as it must be at the end. */
export function isAsPromised({ units, buyers, sold, refused, completed, oversold, audit }: FlashSale): boolean {
  return sold === units && refused === buyers - units && completed === units && oversold === 0 && audit === 'clean';
}

export function isOver({ step }: FlashSale): boolean {
  return step === 'finished' || step === 'failed';
}
