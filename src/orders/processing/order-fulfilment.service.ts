import { Injectable, Logger } from '@nestjs/common';
import { fulfilled, type Outcome } from '../../kernel/outcome.js';
import { Batcher } from '../../runtime/batcher.js';
import { Config } from '../../config/config.js';
import { callWithDeadline } from '../../runtime/deadline.js';
import { hasWaitedTooLong } from '../../database/database-errors.js';
import { queryWithin } from '../../database/prepared-statement.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { InFlightCalls, type InFlightCall } from './in-flight-calls.js';
import { FulfilmentGateway, PermanentFulfilmentError } from './fulfilment-gateway.js';
import type { OrderStatus } from '../order-status.js';
import {
  changeStatus,
  noteAfterEnd,
  noteEarlierCall,
  type ReachedStatus,
  type StatusChange,
} from '../status-change.js';
import { StockChanges } from '../../stock/stock-changes.js';
import { releaseOrder } from '../order-writer.js';

/** The slots bound what waits, and an order that has waited long is better finished than refused. */
const BATCHING = { maxBatchSize: 500, maxInFlight: 1, maxWaiting: Infinity, maxWaitMs: Infinity };

const MAX_CAUSE_LENGTH = 500;

export interface Attempt {
  /** Which it is of the order's, from 1. */
  readonly attempt: number;
  /** Nobody tries again after it. */
  readonly isLast: boolean;
  /** Nobody may have begun the order before: one that is being worked on is left alone like one that has ended. */
  readonly isFirst?: boolean;
  /** Aborted when the worker stops: the external call is no longer waited for. */
  readonly signal: AbortSignal;
}

/** Moves an order from `pending` to its end. Delivered twice, or raced by another worker, it has one effect. */
@Injectable()
export class OrderFulfilmentService {
  private readonly logger = new Logger(OrderFulfilmentService.name);

  /** Changes that come up while others are being committed are committed together. */
  private readonly firstClaims = new Batcher<StatusChange, boolean>(
    (changes) => this.changeTogether(changes, 'processing', ['pending']),
    BATCHING,
  );
  private readonly claims = new Batcher<StatusChange, boolean>(
    (changes) => this.changeTogether(changes, 'processing'),
    BATCHING,
  );
  private readonly completions = new Batcher<StatusChange, boolean>(
    (changes) => this.changeTogether(changes, 'completed'),
    BATCHING,
  );

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly gateway: FulfilmentGateway,
    private readonly changes: StockChanges,
    private readonly calls: InFlightCalls,
    private readonly config: Config,
  ) {}

  /**
   * Claims the order, makes the external call and completes the order; an order that has ended already is left alone.
   * When the call fails for good or on the last attempt, the order fails and its stock goes back, exactly once.
   *
   * @throws what the external call threw, so that the queue tries again or keeps the job as failed.
   */
  async process(orderId: number, attempt: Attempt): Promise<void> {
    const underWay = this.calls.begin(orderId);
    try {
      await this.claimAndCall(orderId, attempt, underWay);
    } finally {
      underWay.end();
    }
  }

  private async claimAndCall(
    orderId: number,
    { attempt, isLast, isFirst = false, signal }: Attempt,
    underWay: InFlightCall,
  ): Promise<void> {
    const claim = { orderId, cause: `attempt ${attempt}` };
    if (!(await (isFirst ? this.firstClaims : this.claims).submit(claim))) {
      if (!isFirst) await this.transactions.writeRepeatable(noteEarlierCall(orderId));
      return;
    }
    try {
      await this.call(orderId, { stopping: signal, unwanted: underWay.signal });
    } catch (error) {
      if (await underWay.isUnwanted().catch(() => false)) {
        await this.noteAfterEnd(orderId, `the external call ended after that: ${String(error)}`);
        return;
      }
      if (signal.aborted) throw error;
      if (isLast || error instanceof PermanentFulfilmentError) await this.fail(orderId, error);
      throw error;
    }
    if (await this.completions.submit({ orderId, cause: 'fulfilled' })) this.logger.log(`Order #${orderId} Processed.`);
    else if (await this.claims.submit(claim)) throw new Error(`The claim of order #${orderId} was lost`);
    else await this.noteAfterEnd(orderId, 'the external call succeeded all the same: undo it at the provider');
  }

  private async call(
    orderId: number,
    { stopping, unwanted }: { stopping: AbortSignal; unwanted: AbortSignal },
  ): Promise<void> {
    const call = async (signal: AbortSignal) =>
      this.gateway.fulfil(orderId, { idempotencyKey: `order-${orderId}`, signal });
    await callWithDeadline(call, { milliseconds: this.config.orders.fulfilmentTimeoutMs, stopping, unwanted });
  }

  /** What became of the external call of an order that has ended otherwise stands in its events, for a person to act on. */
  private async noteAfterEnd(orderId: number, cause: string): Promise<void> {
    const noted = await this.transactions.writeRepeatable(noteAfterEnd(orderId, toCause(cause)));
    if (noted.length > 0)
      this.logger.warn(`Order #${orderId} had ended while its external call was under way; ${cause}`);
  }

  /** An order whose row somebody else holds must not keep its neighbours: then each is changed by itself. */
  private async changeTogether(
    changes: readonly StatusChange[],
    to: ReachedStatus,
    from?: readonly OrderStatus[],
  ): Promise<Outcome<boolean>[]> {
    return this.change(changes, to, from).catch(async (error: unknown) => {
      if (changes.length === 1 || !hasWaitedTooLong(error)) throw error;
      const outcomes = await Promise.allSettled(changes.map((change) => this.change([change], to, from)));
      return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [outcome]));
    });
  }

  private async change(
    changes: readonly StatusChange[],
    to: ReachedStatus,
    from?: readonly OrderStatus[],
  ): Promise<Outcome<boolean>[]> {
    const rows = await this.transactions.writeRepeatable<{ id: number }>(changeStatus(changes, to, from));
    const changed = new Set(rows.map(({ id }) => id));
    // Of two that change the same order, the first has done it.
    return changes.map(({ orderId }) => fulfilled(changed.delete(orderId)));
  }

  private async fail(orderId: number, error: unknown): Promise<void> {
    const cause = toCause(`the external call failed: ${String(error)}`);
    const released = await this.transactions.run(async (manager) => {
      const failed = await queryWithin(manager, changeStatus([{ orderId, cause }], 'failed'));
      if (failed.length === 0) return [];
      return queryWithin<{ id: number }>(manager, releaseOrder(orderId, 'the order failed'));
    });
    await this.changes.announce(released.map(({ id }) => id));
    if (released.length > 0) this.logger.warn(`Order #${orderId} failed and its stock went back: ${String(error)}`);
    else await this.noteAfterEnd(orderId, `the external call ended after that: ${String(error)}`);
  }
}

/** As PostgreSQL can store it, and a person can read it. */
function toCause(text: string): string {
  return text.replaceAll('\0', '').slice(0, MAX_CAUSE_LENGTH).toWellFormed();
}
