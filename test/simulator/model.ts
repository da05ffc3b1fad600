import { isDeepStrictEqual } from 'node:util';

export interface Item {
  readonly product_id: number;
  readonly quantity: number;
}

export type Kind = 'buy' | 'confirm' | 'cancel' | 'adjust' | 'reserve' | 'release' | 'look' | 'change' | 'list';

/** What a shopper wants, sent as often as it takes. */
export interface Operation {
  readonly kind: Kind;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly key?: string;
  /** The state that a change is meant for. */
  readonly ifMatch?: string;
  /** Units that it is about. */
  readonly items?: readonly Item[];
  /** The order or the reservation that it is about. */
  readonly subject?: number;
  readonly attempts: Attempt[];
}

export interface Answer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the system answers
  readonly body: any;
  readonly isReplayed: boolean;
  readonly etag: string | null;
  readonly retryAfter: string | null;
  /** From the sending of the request. */
  readonly milliseconds: number;
}

/** Every request is answered or refused by then. */
const MAX_ANSWER_MS = 5_000;
/** In cents; each product has one of them. */
export const PRICES = [999, 1_250];

/** What became of sending an operation once: nothing was heard of it, or this was answered. */
type Attempt = 'unknown' | Answer;

/** What may be answered; anything else is a fault of the system. 503 may come always, and 409 while the same key is in use. */
const EXPECTED: Record<Kind, readonly number[]> = {
  buy: [201, 400],
  confirm: [201, 409],
  cancel: [200, 409],
  adjust: [201, 400, 409],
  reserve: [201, 400],
  release: [204, 409],
  look: [200],
  change: [200, 412],
  list: [200],
};

const NEXT: Record<string, readonly string[]> = {
  pending: ['pending', 'processing', 'completed', 'failed', 'cancelled'],
  processing: ['processing', 'completed', 'failed', 'cancelled', 'pending'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
};

/** Remembers every answer, and notices what cannot be true of a system that keeps its promises. */
export class Model {
  readonly operations: Operation[] = [];
  readonly violations: string[] = [];
  /** Orders and reservations that were confirmed to somebody, with what they are about. */
  readonly orders = new Map<number, readonly Item[]>();
  readonly reservations = new Map<number, readonly Item[]>();
  private readonly isTimed: boolean;
  private readonly changed = new Set<string>();
  private readonly seen = new Map<number, { status: string; answeredAt: number }>();
  slowestMs = 0;

  /** Not timed on a machine that has other things to do: its clients wait for it as well. */
  constructor({ isTimed }: { isTimed: boolean }) {
    this.isTimed = isTimed;
  }

  begin(operation: Omit<Operation, 'attempts'>): Operation {
    const begun = { ...operation, attempts: [] };
    this.operations.push(begun);
    return begun;
  }

  /** Takes down what became of an operation that was sent; gives whether it is settled. */
  record(operation: Operation, attempt: Attempt): boolean {
    const { kind, method, path, key, attempts } = operation;
    const earlier = outcomeOf(operation);
    const unheard = attempts.includes('unknown');
    attempts.push(attempt);
    const say = (what: string) =>
      this.violations.push(`${method} ${path} ${key ?? ''}: ${what}\n  ${JSON.stringify(operation)}`);
    if (attempt === 'unknown') return false;
    this.slowestMs = Math.max(this.slowestMs, attempt.milliseconds);
    if (this.isTimed && attempt.milliseconds > MAX_ANSWER_MS)
      say(`was answered after ${Math.round(attempt.milliseconds)} ms`);
    if (attempt.status === 503 && attempt.retryAfter === null) say('was answered 503 without Retry-After');
    if (isForTheMoment(attempt)) return false;
    if (!EXPECTED[kind].includes(attempt.status)) say(`answered ${attempt.status}`);
    if (earlier !== undefined) {
      const [first, again] = [earlier, attempt].map(({ status, body }) => ({ status, body: withoutRequestId(body) }));
      if (!attempt.isReplayed) say('was done again, not replayed');
      if (!isDeepStrictEqual(first, again)) say('was answered otherwise than the first time');
    } else {
      if (attempt.isReplayed && !unheard) say('was replayed though no earlier attempt can have been done');
      this.learn(operation, attempt, say);
    }
    return true;
  }

  /** A state of an order that was shown to somebody. */
  see(orderId: number, status: string, askedAt: number): void {
    const before = this.seen.get(orderId);
    if (before !== undefined && before.answeredAt < askedAt && NEXT[before.status]?.includes(status) !== true) {
      this.violations.push(`Order ${orderId} was ${before.status}, and then ${status}`);
    }
    this.seen.set(orderId, { status, answeredAt: performance.now() });
  }

  /** Of two changes that were meant for the same state, one at most is made. */
  private noteChange({ ifMatch, subject }: Operation, say: (what: string) => void): void {
    const state = `${subject} ${ifMatch}`;
    if (this.changed.has(state)) say('has written over a change that it had not seen');
    this.changed.add(state);
  }

  private learn(operation: Operation, { status, body, etag }: Answer, say: (what: string) => void): void {
    const { kind, items = [], subject } = operation;
    if (status === 400 && kind !== 'adjust') {
      const [, available, requested] = /Available: (\d+), Requested: (\d+)$/.exec(String(body?.detail)) ?? [];
      if (!(Number(available) < Number(requested))) say('was refused without a reason');
    }
    if (status === 201 && (kind === 'buy' || kind === 'confirm')) {
      const prices = (body.items as (Item & { unit_price: number })[]).map(({ quantity, unit_price }) => {
        if (!PRICES.includes(Math.round(unit_price * 100))) say('was charged a price that nobody has set');
        return quantity * Math.round(unit_price * 100);
      });
      if (Math.round(body.total_price * 100) !== prices.reduce((sum, price) => sum + price, 0))
        say('was charged something else');
    }
    if (status === 201 && kind === 'adjust') {
      const { delta, expected_stock: expected } = operation.body as { delta: number; expected_stock?: number };
      if (body.quantity !== delta) say('was adjusted by something else');
      if (expected !== undefined && body.stock_after - delta !== expected)
        say('was adjusted though the stock differed');
    }
    // With fields that the product has already, nothing changes, and its state is still the one that others have seen.
    if (kind === 'change' && status === 200 && etag !== operation.ifMatch) this.noteChange(operation, say);
    if (kind === 'buy' && status === 201) {
      if (!isDeepStrictEqual(sorted(body.items), sorted(items))) say('was sold something else');
      if (this.orders.has(body.id)) say('was given the order of somebody else');
      this.orders.set(body.id, items);
    } else if (kind === 'confirm' && status === 201) {
      const held = this.reservations.get(subject ?? 0) ?? [];
      if (!isDeepStrictEqual(sorted(body.items), sorted(held))) say('was sold something else than was held');
      if (this.orders.has(body.id)) say('was given the order of somebody else');
      this.orders.set(body.id, held);
    } else if (kind === 'reserve' && status === 201) {
      if (!isDeepStrictEqual(sorted(body.items), sorted(items))) say('something else was held');
      this.reservations.set(body.id, items);
    }
  }
}

/** The answer that settled an operation; `undefined` while it may have been done or not. */
export function outcomeOf({ attempts }: Operation): Answer | undefined {
  return attempts.find((attempt): attempt is Answer => attempt !== 'unknown' && !isForTheMoment(attempt));
}

/** Whether it may have been done without anybody having been told. */
export function mayBeDone(operation: Operation): boolean {
  return outcomeOf(operation) === undefined && operation.attempts.includes('unknown');
}

export function sorted(items: readonly Item[]): Item[] {
  return items
    .map(({ product_id, quantity }) => ({ product_id, quantity }))
    .sort((a, b) => a.product_id - b.product_id);
}

/** Nothing was done, and it may be asked for again. */
function isForTheMoment({ status, body }: Answer): boolean {
  return status === 503 || (status === 409 && body.code === 'IDEMPOTENCY_KEY_IN_USE');
}

/** Each answer of an error has its own. */
function withoutRequestId(body: unknown): unknown {
  return typeof body === 'object' && body !== null ? { ...body, request_id: undefined } : body;
}
