/** What can be off, by its name in an audit. */
export const FINDINGS = {
  STOCK_DIFFERS: 'the stock of a product is not the sum of its movements',
  LEDGER_BROKEN: 'movements of a product do not follow from each other',
  WITHOUT_ITEMS: 'an order or a reservation has no items',
  ITEM_WITHOUT_SALE: 'what was taken from the stock for an item is not its quantity',
  SALE_WITHOUT_ITEM: 'stock was taken for an item that is not there',
  END_WITHOUT_RELEASE:
    'what came back from an item of a failed or cancelled order, or of an expired or released reservation, is not its quantity',
  RELEASE_WITHOUT_END: 'stock came back from an order or a reservation that lives',
} as const;

export type FindingName = keyof typeof FINDINGS;

/** One place where something is off: units that should be there, and units that are. */
export interface Example {
  readonly product_id: number | null;
  readonly order_id: number | null;
  readonly reservation_id: number | null;
  readonly expected: number;
  readonly found: number;
}

export interface Finding {
  readonly finding: FindingName;
  /** All of its kind; the examples are the first of them. */
  readonly count: number;
  readonly examples: readonly Example[];
}

export interface AuditRun {
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** How much was looked at. */
  readonly products: number;
  readonly orders: number;
  readonly movements: number;
  readonly findings: readonly Finding[];
}
