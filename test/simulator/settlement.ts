import { type Item, type Kind, mayBeDone, type Model, type Operation, outcomeOf, sorted } from './model.ts';
import type { World } from './world.ts';

interface OrderRow {
  readonly id: number;
  readonly status: string;
  readonly reservation_id: number | null;
  readonly is_late: boolean;
  readonly items: Item[];
}

interface ReservationRow {
  readonly id: number;
  readonly status: string;
  readonly order_id: number | null;
  readonly items: Item[];
}

const ORDERS = `
  SELECT orders.id::integer, orders.status, reservations.id::integer AS reservation_id,
         coalesce(orders.created_at > reservations.expires_at, false) AS is_late,
         (SELECT json_agg(json_build_object('product_id', product_id, 'quantity', quantity)) FROM order_items
          WHERE order_id = orders.id) AS items
  FROM orders LEFT JOIN reservations ON reservations.order_id = orders.id ORDER BY orders.id`;

const RESERVATIONS = `
  SELECT id::integer, status, order_id::integer,
         (SELECT json_agg(json_build_object('product_id', product_id, 'quantity', quantity)) FROM reservation_items
          WHERE reservation_id = reservations.id) AS items
  FROM reservations ORDER BY id`;

const EVENT_COUNTS = `
  SELECT order_id::integer AS id, count(*)::integer AS count FROM order_events GROUP BY order_id`;

/** The subscriber was told of each event, for the first time in its order; of some again. */
function compareHeard(id: number, count: number, heard: readonly number[]): string[] {
  const first = [...new Set(heard)];
  const expected = Array.from({ length: count }, (_, index) => index + 1);
  return JSON.stringify(first) === JSON.stringify(expected)
    ? []
    : [`Order ${id} has ${count} events, and the subscriber was told of ${heard.join(', ') || 'none'}`];
}

/** What must be true when all is settled and nobody is there any more: gives what is not. */
export async function settleUp(
  { sql, provider }: World,
  model: Model,
  initialStock: ReadonlyMap<number, number>,
): Promise<string[]> {
  const orders = new Map((await sql.query<OrderRow>(ORDERS)).rows.map((row) => [row.id, row]));
  const reservations = new Map((await sql.query<ReservationRow>(RESERVATIONS)).rows.map((row) => [row.id, row]));
  const accounts = new Map([...provider.accounts.values()].map((account) => [[...account.orderIds][0] ?? 0, account]));
  const stocks = await sql.query<{ id: number; stock: number }>('SELECT id::integer, stock FROM products');
  return [
    ...compareOrders(model, orders),
    ...compareReservations(model, reservations),
    ...model.operations.flatMap((operation) => compareEnd(operation, orders, reservations)),
    ...stocks.rows.flatMap(({ id, stock }) => {
      const expected = (initialStock.get(id) ?? 0) + adjusted(model, id) - taken(orders, id);
      return stock === expected ? [] : `Product ${id} has a stock of ${stock}; ${expected} are right`;
    }),
    ...[...orders.values()].flatMap(({ id, status }) => {
      const account = accounts.get(id);
      const hasReason = account !== undefined && (account.isRefused || account.troubles > 0);
      return status === 'failed' && !hasReason ? `Order ${id} failed, and the provider did nothing to it` : [];
    }),
    ...neverDone(model),
    ...[...provider.accounts].flatMap(([key, { isRefused, isDone, orderIds }]) => {
      const [id = 0] = orderIds;
      const status = orders.get(id)?.status;
      const isOver = status !== undefined && ['failed', 'cancelled'].includes(status);
      const faults: string[] = [];
      if (status === undefined || (isRefused && !isOver)) {
        faults.push(`The provider was asked for ${key}, order ${id}, which is ${status ?? 'no order'}`);
      }
      if (isDone && isOver) faults.push(`Order ${id} is ${status}, and what the provider did for it is not undone`);
      return faults;
    }),
    ...(await sql.query<{ id: number; count: number }>(EVENT_COUNTS)).rows.flatMap(({ id, count }) =>
      compareHeard(id, count, provider.heard.get(id) ?? []),
    ),
  ];
}

/** Each confirmed order is there as it was confirmed, and each other one is that of a purchase nothing was heard of. */
function compareOrders(model: Model, orders: ReadonlyMap<number, OrderRow>): string[] {
  const unheard = model.operations.filter(mayBeDone);
  const unclaimed = countBy(unheard.filter(({ kind }) => kind === 'buy').map(({ items = [] }) => signatureOf(items)));
  const confirming = new Set(unheard.filter(({ kind }) => kind === 'confirm').map(({ subject }) => subject));
  return [...orders.values()].flatMap(({ id, status, items, reservation_id: reservation, is_late: isLate }) => {
    const bought = model.orders.get(id);
    const faults = isLate ? [`Order ${id} was made of reservation ${reservation} after its time`] : [];
    if (!['completed', 'failed', 'cancelled'].includes(status)) faults.push(`Order ${id} is still ${status}`);
    if (bought !== undefined) {
      if (signatureOf(bought) !== signatureOf(items)) faults.push(`Order ${id} is not what was bought`);
    } else if (reservation !== null) {
      if (!confirming.has(reservation)) faults.push(`Order ${id} of reservation ${reservation} was made for nobody`);
    } else if (!takeOne(unclaimed, signatureOf(items))) faults.push(`Order ${id} was made for nobody`);
    return faults;
  });
}

function compareReservations(model: Model, reservations: ReadonlyMap<number, ReservationRow>): string[] {
  const unheard = model.operations.filter((operation) => operation.kind === 'reserve' && mayBeDone(operation));
  const unclaimed = countBy(unheard.map(({ items = [] }) => signatureOf(items)));
  const faults = [...reservations.values()].flatMap(({ id, status, items }) => {
    if (status === 'held') return `Reservation ${id} is still held`;
    const held = model.reservations.get(id);
    if (held === undefined) {
      return takeOne(unclaimed, signatureOf(items)) ? [] : `Reservation ${id} was made for nobody`;
    }
    return signatureOf(held) === signatureOf(items) ? [] : `Reservation ${id} is not what was asked for`;
  });
  const lost = [...model.reservations.keys()].filter((id) => !reservations.has(id));
  return [...faults, ...lost.map((id) => `Reservation ${id} was confirmed and is not there`)];
}

/** What was answered about an end is the end that there is. */
function compareEnd(
  operation: Operation,
  orders: ReadonlyMap<number, OrderRow>,
  reservations: ReadonlyMap<number, ReservationRow>,
): string[] {
  const { kind, subject = 0, key } = operation;
  const outcome = outcomeOf(operation);
  if (outcome === undefined) {
    const wasSent = operation.attempts.length > 0;
    return key !== undefined && wasSent ? [`${kind} ${key} was never settled: ${JSON.stringify(operation)}`] : [];
  }
  const { status, body } = outcome;
  const end = kind === 'cancel' ? orders.get(subject)?.status : reservations.get(subject)?.status;
  const expected: Record<string, string[] | undefined> = {
    'cancel 200': ['cancelled'],
    'cancel 409': ['completed', 'failed'],
    'confirm 201': ['confirmed'],
    'release 204': ['released', 'expired'],
    'release 409': ['confirmed'],
    'confirm 409': [String(body?.code).replace('RESERVATION_', '').toLowerCase()],
  };
  const ends = expected[`${kind} ${status}`];
  const faults: string[] = [];
  if (ends !== undefined && !ends.includes(end ?? '')) {
    faults.push(`${kind} of ${subject} was answered ${status}, and it is ${end}`);
  }
  if (kind === 'confirm' && status === 201 && reservations.get(subject)?.order_id !== body.id) {
    faults.push(`Reservation ${subject} has not become order ${body.id}`);
  }
  return faults;
}

/** A run in which nobody succeeded with something says nothing about it. */
function neverDone({ operations }: Model): string[] {
  const done = new Set(
    operations.filter((operation) => (outcomeOf(operation)?.status ?? 999) < 300).map(({ kind }) => kind),
  );
  const kinds: Kind[] = ['buy', 'confirm', 'cancel', 'adjust', 'reserve', 'release', 'look', 'change', 'list'];
  return kinds.filter((kind) => !done.has(kind)).map((kind) => `Nobody succeeded with: ${kind}`);
}

function adjusted(model: Model, product: number): number {
  return model.operations
    .filter(({ kind, subject }) => kind === 'adjust' && subject === product)
    .filter((operation) => outcomeOf(operation)?.status === 201)
    .reduce((sum, { body }) => sum + (body as { delta: number }).delta, 0);
}

function taken(orders: ReadonlyMap<number, OrderRow>, product: number): number {
  return [...orders.values()]
    .filter(({ status }) => !['failed', 'cancelled'].includes(status))
    .flatMap(({ items }) => items.filter(({ product_id: id }) => id === product))
    .reduce((sum, { quantity }) => sum + quantity, 0);
}

function signatureOf(items: readonly Item[]): string {
  return JSON.stringify(sorted(items));
}

function countBy(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function takeOne(counts: Map<string, number>, text: string): boolean {
  const left = counts.get(text) ?? 0;
  counts.set(text, left - 1);
  return left > 0;
}
