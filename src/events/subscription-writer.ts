import type { QueryConfig } from 'pg';
import type { OrderEvent } from '../orders/history/order-event.js';

// The one writer of `event_subscriptions` and `event_deliveries`.

/** An event that its subscriber has not dealt with. */
export interface Delivery {
  readonly eventId: number;
  readonly orderId: number;
  /** Tries that failed; 0 for one that waits behind an earlier event of its order. */
  readonly attempts: number;
  readonly waitMs: number;
  readonly error: string;
}

/** By then a waiting event is looked at by itself. Before that the event in front of it makes it due. */
const WAITING_MS = 3_600_000;

/** Of an event that waits for an earlier one of its order. */
export function waitingDelivery({ id, orderId }: OrderEvent): Delivery {
  const error = 'it waits for an earlier event of its order';
  return { eventId: id, orderId, attempts: 0, waitMs: WAITING_MS, error };
}

/** A delivery whose next try is due. */
export type DueDelivery = Pick<Delivery, 'eventId' | 'orderId' | 'attempts'>;

/** Inserts the subscription unless it exists. */
export function addSubscription(name: string, cursor: number): QueryConfig {
  return {
    text: 'INSERT INTO event_subscriptions (name, cursor) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING name',
    values: [name, cursor],
  };
}

/** Takes or renews the lease of the subscription for `holdMs`, and gives its cursor; gives no row while another worker has the lease. */
export function holdSubscription(name: string, holder: string, holdMs: number): QueryConfig {
  return {
    name: 'hold-subscription',
    text: `UPDATE event_subscriptions
           SET holder = $2, held_until = clock_timestamp() + $3 * interval '1 millisecond'
           WHERE name = $1 AND (holder = $2 OR held_until <= clock_timestamp()) RETURNING cursor`,
    values: [name, holder, holdMs],
  };
}

/** Lets another worker hold the subscription at once. */
export function letGoOfSubscription(name: string, holder: string): QueryConfig {
  return {
    text: `UPDATE event_subscriptions SET held_until = '-infinity' WHERE name = $1 AND holder = $2 RETURNING name`,
    values: [name, holder],
  };
}

/** Moves the cursor on, and keeps the events before it that are not dealt with. Does nothing when another worker has had the lease. */
export function advanceSubscription(
  { name, holder, from, to }: { name: string; holder: string; from: number; to: number },
  left: readonly Delivery[],
): QueryConfig {
  return {
    name: 'advance-subscription',
    text: `WITH advanced AS (
             UPDATE event_subscriptions SET cursor = $4 WHERE name = $1 AND holder = $2 AND cursor = $3 RETURNING name
           ), kept AS (
             INSERT INTO event_deliveries (subscription, event_id, order_id, attempts, due_at, error)
             SELECT advanced.name, event_id, order_id, attempts, clock_timestamp() + wait_ms * interval '1 millisecond', error
             FROM advanced CROSS JOIN unnest($5::bigint[], $6::bigint[], $7::integer[], $8::float8[], $9::text[])
               AS delivery (event_id, order_id, attempts, wait_ms, error)
             ON CONFLICT (subscription, event_id) DO NOTHING
           )
           SELECT name FROM advanced`,
    values: [
      name,
      holder,
      from,
      to,
      left.map(({ eventId }) => eventId),
      left.map(({ orderId }) => orderId),
      left.map(({ attempts }) => attempts),
      left.map(({ waitMs }) => waitMs),
      left.map(({ error }) => error),
    ],
  };
}

/** Gives those of the orders that have an unfinished earlier event. */
export function selectHeldUpOrders(name: string, orderIds: readonly number[]): QueryConfig {
  return {
    name: 'select-held-up-orders',
    text: `SELECT DISTINCT order_id AS id FROM event_deliveries
           WHERE subscription = $1 AND order_id = ANY ($2::bigint[]) AND parked_at IS NULL`,
    values: [name, orderIds],
  };
}

/** Deliveries whose next try is due, and that wait for no earlier event of their order; `limit` at most. */
export function selectDueDeliveries(name: string, limit: number): QueryConfig {
  return {
    name: 'select-due-deliveries',
    text: `SELECT event_id AS "eventId", order_id AS "orderId", attempts FROM event_deliveries AS delivery
           WHERE subscription = $1 AND parked_at IS NULL AND due_at <= clock_timestamp() AND NOT EXISTS (
             SELECT FROM event_deliveries AS earlier
             WHERE earlier.subscription = $1 AND earlier.order_id = delivery.order_id AND earlier.parked_at IS NULL
               AND earlier.event_id < delivery.event_id
           ) ORDER BY due_at LIMIT $2`,
    values: [name, limit],
  };
}

/** Makes the next waiting event of the order `$3` due, which follows the event `$2`. */
const RELEASE_NEXT = `UPDATE event_deliveries SET due_at = clock_timestamp()
           WHERE subscription = $1 AND event_id = (
             SELECT min(event_id) FROM event_deliveries
             WHERE subscription = $1 AND order_id = $3 AND event_id > $2 AND parked_at IS NULL
           )`;

/** The subscriber has dealt with the event. */
export function endDelivery(name: string, { eventId, orderId }: DueDelivery): QueryConfig {
  return {
    name: 'end-delivery',
    text: `WITH ended AS (DELETE FROM event_deliveries WHERE subscription = $1 AND event_id = $2) ${RELEASE_NEXT}`,
    values: [name, eventId, orderId],
  };
}

/** The subscriber has failed once more; `isParked` ends the tries, and lets the later events of the order go on. */
export function postponeDelivery(
  name: string,
  { eventId, orderId, attempts, waitMs, error }: Delivery,
  isParked: boolean,
): QueryConfig {
  const postponed = `UPDATE event_deliveries
             SET attempts = $4, due_at = clock_timestamp() + $5 * interval '1 millisecond', error = $6,
                 parked_at = CASE WHEN $7 THEN clock_timestamp() END
             WHERE subscription = $1 AND event_id = $2`;
  return {
    name: 'postpone-delivery',
    text: `WITH postponed AS (${postponed}) ${RELEASE_NEXT} AND $7`,
    values: [name, eventId, orderId, attempts, waitMs, error, isParked],
  };
}

/** Has all parked events tried again, as if they had never been; gives a row for each. */
export const RETRY_PARKED: QueryConfig = {
  text: `UPDATE event_deliveries SET parked_at = NULL, attempts = 0, due_at = clock_timestamp()
         WHERE parked_at IS NOT NULL RETURNING event_id`,
};

/** Parked events, the oldest first. */
export const SELECT_PARKED: QueryConfig = {
  text: `SELECT subscription, event_id AS "eventId", order_id AS "orderId", attempts, parked_at AS "parkedAt", error
         FROM event_deliveries WHERE parked_at IS NOT NULL ORDER BY parked_at, event_id LIMIT 10000`,
};
