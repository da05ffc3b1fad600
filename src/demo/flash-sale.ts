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
  readonly step: 'selling' | 'processing' | 'auditing' | 'finished' | 'failed';
  readonly startedAt: string;
  readonly productId: number;
  readonly buyers: number;
  readonly units: number;
  readonly sold: number;
  readonly refused: number;
  /** Purchases without an answer, or with one that is neither a sale nor a refusal. */
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

/** Whether everything is as it must be at the end. */
export function isAsPromised({ units, buyers, sold, refused, completed, oversold, audit }: FlashSale): boolean {
  return sold === units && refused === buyers - units && completed === units && oversold === 0 && audit === 'clean';
}
