import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { DataSource } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { readPrepared } from '../database/prepared-statement.js';
import type { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { type OrderEvent, SELECT_LAST_EVENT_ID, selectEventsById } from '../orders/history/order-event.js';
import { backoffAfter } from '../runtime/backoff.js';
import { callWithDeadline } from '../runtime/deadline.js';
import { textOf } from '../runtime/error-text.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { SettledEvents } from './settled-events.js';
import type { Subscriber } from './subscriber.js';
import {
  addSubscription,
  advanceSubscription,
  type Delivery,
  type DueDelivery,
  endDelivery,
  holdSubscription,
  letGoOfSubscription,
  postponeDelivery,
  selectDueDeliveries,
  selectHeldUpOrders,
  waitingDelivery,
} from './subscription-writer.js';

const PAGE_SIZE = 100;
/** Orders whose events a subscriber deals with at the same time. */
const CONCURRENCY = 10;
/** What became of one event: dealt with, failed with an error, or not told because the worker stops or has lost its lease. */
type Told = { readonly error?: string } | 'not told';

/** Delivers order events to one subscriber, in the worker that has the lease of its subscription. */
export class Subscription extends PeriodicTask {
  protected readonly intervalMs = 500;
  private readonly holder = randomUUID();
  private readonly events: SettledEvents;
  private readonly slots = pLimit(CONCURRENCY);
  private isKnown = false;

  constructor(
    private readonly subscriber: Subscriber,
    private readonly dataSource: DataSource,
    private readonly transactions: TransactionRunner,
  ) {
    super();
    this.events = new SettledEvents(dataSource);
  }

  /** A new subscriber is told from the start of the worker on; when PostgreSQL is away then, from its return. */
  override async onApplicationBootstrap(): Promise<void> {
    await this.makeKnown().catch((error: unknown) => this.logger.warn('A subscriber is not registered yet', { error }));
    await super.onApplicationBootstrap();
  }

  /** Delivers all events that are ready, if this worker has the lease. Returns how many they were. */
  async run(): Promise<number> {
    await this.makeKnown();
    let delivered = 0;
    for (;;) {
      const cursor = await this.hold();
      if (cursor === undefined || this.stopped) return delivered;
      const count = await this.whileHolding(cursor, async (signal) => {
        const retried = await this.retry(signal);
        return retried + (await this.advance(cursor, signal));
      });
      delivered += count;
      if (count === 0) return delivered;
    }
  }

  override async beforeApplicationShutdown(): Promise<void> {
    await super.beforeApplicationShutdown();
    const { name } = this.subscriber;
    await this.transactions.writeIdempotent(letGoOfSubscription(name, this.holder)).catch(() => undefined); // Then the lease runs out.
  }

  private async makeKnown(): Promise<void> {
    if (this.isKnown) return;
    const { name, from } = this.subscriber;
    const [last] = await readPrepared<{ id: number }>(this.dataSource, SELECT_LAST_EVENT_ID);
    await this.transactions.writeIdempotent(addSubscription(name, from === 'beginning' ? 0 : (last?.id ?? 0)));
    this.isKnown = true;
  }

  private async hold(): Promise<number | undefined> {
    const statement = holdSubscription(this.subscriber.name, this.holder, LIMITS.subscriptionHoldMs);
    const [held] = await this.transactions.writeIdempotent<{ cursor: number }>(statement);
    return held?.cursor;
  }

  /** Renews the lease while `work` is under way. Its signal is aborted when the worker stops, or another one has had the lease. */
  private async whileHolding<T>(cursor: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const lost = new AbortController();
    const renew = async () => {
      if ((await this.hold()) !== cursor) lost.abort();
    };
    const renewing = setInterval(
      () =>
        void renew().catch((error: unknown) =>
          this.logger.warn('The lease of a subscriber was not renewed', { error }),
        ),
      LIMITS.subscriptionHoldMs / 3,
    );
    return work(AbortSignal.any([lost.signal, this.stopping.signal])).finally(() => clearInterval(renewing));
  }

  /**
   * Delivers the next events. Failed events, and later events of the same order, are stored in `event_deliveries`; the cursor
   * moves on.
   */
  private async advance(cursor: number, signal: AbortSignal): Promise<number> {
    const { events, last } = await this.events.after(cursor, PAGE_SIZE);
    if (last === cursor || signal.aborted) return 0;
    // Claims are committed asynchronously: what a crash could still lose is told to nobody.
    await this.transactions.confirmRead();
    const { name } = this.subscriber;
    const orders = Map.groupBy(events, ({ orderId }) => orderId);
    const heldUp = await readPrepared<{ id: number }>(this.dataSource, selectHeldUpOrders(name, [...orders.keys()]));
    const waiting = new Set(heldUp.map(({ id }) => id));
    const left = await Promise.all(
      [...orders].map(([orderId, ofOrder]) =>
        this.slots(async () =>
          waiting.has(orderId) ? ofOrder.map(waitingDelivery) : this.deliverInTurn(ofOrder, signal),
        ),
      ),
    );
    const moved = { name, holder: this.holder, from: cursor, to: last };
    await this.transactions.writeIdempotent(advanceSubscription(moved, left.flat()));
    return events.length;
  }

  /** Delivers the events of an order in turn, and gives those that are left: from the first one on that fails or is not told. */
  private async deliverInTurn(events: readonly OrderEvent[], signal: AbortSignal): Promise<Delivery[]> {
    for (const [index, event] of events.entries()) {
      const told = await this.deliver(event, signal);
      const later = events.slice(index + 1).map(waitingDelivery);
      if (told === 'not told')
        return [{ ...waitingDelivery(event), waitMs: 0, error: 'its worker has stopped' }, ...later];
      if (told.error !== undefined) {
        return [{ ...waitingDelivery(event), attempts: 1, waitMs: this.waitAfter(1), error: told.error }, ...later];
      }
    }
    return [];
  }

  /** Tries events again whose time has come; each order's events in their order. */
  private async retry(signal: AbortSignal): Promise<number> {
    const due = await readPrepared<DueDelivery>(this.dataSource, selectDueDeliveries(this.subscriber.name, PAGE_SIZE));
    if (due.length === 0) return 0;
    const ids = due.map(({ eventId }) => eventId);
    const found = await readPrepared<OrderEvent>(this.dataSource, selectEventsById(ids));
    const events = new Map(found.map((event) => [event.id, event]));
    const retries = await Promise.allSettled(
      due.map((delivery) => this.slots(() => this.retryOne(delivery, events.get(delivery.eventId), signal))),
    );
    const failed = retries.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return due.length;
  }

  private async retryOne(delivery: DueDelivery, event: OrderEvent | undefined, signal: AbortSignal): Promise<void> {
    const { name } = this.subscriber;
    const told = event === undefined ? { error: 'The event is not there' } : await this.deliver(event, signal);
    if (told === 'not told') return;
    const { error } = told;
    if (error === undefined) {
      await this.transactions.writeIdempotent(endDelivery(name, delivery));
      return;
    }
    const attempts = delivery.attempts + 1;
    const isParked = attempts >= LIMITS.subscriberTries;
    const failed = { ...delivery, attempts, waitMs: this.waitAfter(attempts), error };
    await this.transactions.writeIdempotent(postponeDelivery(name, failed, isParked));
    if (isParked)
      this.logger.error('An event is parked: its subscriber failed too often', {
        subscriber: name,
        event_id: delivery.eventId,
        attempt: attempts,
        error,
      });
  }

  private async deliver(event: OrderEvent, signal: AbortSignal): Promise<Told> {
    if (signal.aborted) return 'not told';
    try {
      await callWithDeadline(async () => this.subscriber.handler(event), {
        milliseconds: LIMITS.subscriberCallMs,
        stopping: signal,
      });
      return {};
    } catch (thrown) {
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may be aborted by now
      if (signal.aborted) return 'not told';
      const error = textOf(thrown);
      const { id, orderId } = event;
      const { name } = this.subscriber;
      this.logger.warn('A subscriber failed', { subscriber: name, event_id: id, order_id: orderId, error });
      return { error };
    }
  }

  private waitAfter(attempts: number): number {
    return backoffAfter(attempts, LIMITS.subscriberBackoffMs);
  }
}
