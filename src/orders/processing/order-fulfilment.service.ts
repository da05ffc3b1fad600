import { Injectable } from '@nestjs/common';
import { type SpanContext, SpanKind } from '@opentelemetry/api';
import { Log } from '../../runtime/log.js';
import { hasWaitedTooLong } from '../../database/database-errors.js';
import { queryWithin } from '../../database/prepared-statement.js';
import { TransactionRunner } from '../../database/transactions/transaction-runner.js';
import { fulfilled, type Outcome } from '../../kernel/outcome.js';
import { Batcher } from '../../runtime/batching/batcher.js';
import { currentContext, withRequest } from '../../runtime/request-context.js';
import { inSpan } from '../../telemetry/tracing.js';
import { textOf } from '../../runtime/error-text.js';
import { StockChanges } from '../../stock/stock-changes.js';
import { oweUndo } from '../fulfilment-undo-writer.js';
import { giveBackOrder, releaseOrder } from '../order-writer.js';
import {
  type Claim,
  changeStatus,
  type Claimed,
  type ClaimedOrder,
  claimOrders,
  type StatusChange,
} from '../status-change.js';
import { FulfilmentCallsService } from './fulfilment-calls.service.js';
import { isPermanent } from './fulfilment-gateway.js';
import { FulfilmentUndo } from './fulfilment-undo.js';
import { type InFlightCall, InFlightCalls } from './in-flight-calls.js';
import { completionTime, countEnded } from '../metrics/processing-metrics.js';

/** No bounds are needed: at most `WORKER_CONCURRENCY` orders are under way, and none may be refused. */
const BATCHING = { maxBatchSize: 500, maxInFlight: 1, maxWaiting: Infinity, maxWaitMs: Infinity };

export interface Attempt {
  /** The queue makes no further attempt. */
  readonly isLast: boolean;
  /** Claim the order only if it is still `pending`: one that is being worked on is left alone like one that has ended. */
  readonly onlyIfPending?: boolean;
  /** Aborted when the worker stops: the external call is no longer waited for. */
  readonly signal: AbortSignal;
  /** The span of the request that has bought the order. */
  readonly trace?: SpanContext | undefined;
}

/** Moves an order from `pending` to its end. Delivered twice, or raced by another worker, it has one effect. */
@Injectable()
export class OrderFulfilmentService {
  private readonly logger = new Log(OrderFulfilmentService.name);

  /** Changes that come up while others are being committed are committed together. */
  private readonly firstClaims = this.batcherOf((claims: readonly Claim[]) => this.claim(claims, true));
  private readonly claims = this.batcherOf((claims: readonly Claim[]) => this.claim(claims, false));
  private readonly completions = this.batcherOf((completions: readonly StatusChange[]) => this.complete(completions));

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly calls: FulfilmentCallsService,
    private readonly inFlight: InFlightCalls,
    private readonly undo: FulfilmentUndo,
    private readonly changes: StockChanges,
  ) {}

  /**
   * Claims the order, makes the external call and completes the order; an order that has ended already is left alone. When the call
   * fails for good or on the last attempt, the order fails and its stock is released, exactly once. If the order was cancelled, or failed
   * in another worker, during the call, the gateway is asked to undo the call.
   *
   * @throws what the external call threw, so that the queue tries again or keeps the job as failed.
   */
  process(orderId: number, attempt: Attempt): Promise<void> {
    const links = attempt.trace === undefined ? [] : [attempt.trace];
    const options = { kind: SpanKind.CONSUMER, links, attributes: { 'order_system.order_id': orderId } };
    return inSpan('process order', options, () => this.claimAndCall(orderId, attempt));
  }

  private async claimAndCall(orderId: number, attempt: Attempt): Promise<void> {
    const { onlyIfPending = false } = attempt;
    const call = this.inFlight.begin(orderId);
    try {
      const order = await (onlyIfPending ? this.firstClaims : this.claims).submit(claimOf(orderId));
      if (order !== undefined)
        await withRequest({ requestId: order.requestId ?? undefined }, () =>
          this.callAndComplete(order, attempt, call),
        );
      else if (!onlyIfPending) await this.undo.undoLostCall(orderId);
    } finally {
      call.end();
    }
  }

  private async callAndComplete(order: ClaimedOrder, { isLast, signal }: Attempt, call: InFlightCall): Promise<void> {
    const orderId = order.id;
    try {
      await this.calls.fulfil(order, { stopping: signal, controller: call.controller });
    } catch (error) {
      if (await call.isUnwanted().catch(() => false)) {
        await this.undo.undoEndedCall(orderId, textOf(error));
        return;
      }
      if (signal.aborted) throw error;
      if (isLast || isPermanent(error)) await this.fail(orderId, error);
      throw error;
    }
    if (await this.completions.submit({ orderId, cause: 'fulfilled' })) this.tellCompleted(order);
    // The completion changed no row: the order has ended, or PostgreSQL has crashed and lost the claim, whose commit is
    // asynchronous. A new claim tells which. If it succeeds, the order is still open, and the queue tries again.
    else if (await this.claims.submit(claimOf(orderId))) throw new Error(`The claim of order #${orderId} was lost`);
    else await this.undo.undoEndedCall(orderId, 'it succeeded');
  }

  /** The clocks of PostgreSQL and of this process may differ. */
  private tellCompleted({ id, createdAtMs }: ClaimedOrder): void {
    const durationMs = Math.max(Date.now() - createdAtMs, 0);
    // Clients of the original system count these lines: this is the one message that is not constant.
    this.logger.info(`Order #${id} Processed.`, { order_id: id, duration_ms: durationMs });
    countEnded('completed');
    completionTime?.observe(durationMs / 1_000);
  }

  /**
   * If the batch hits an order whose row another transaction locks, each order is changed by itself, so that one cannot delay the
   * rest.
   */
  private batcherOf<C, T>(change: (changes: readonly C[]) => Promise<Outcome<T>[]>): Batcher<C, T> {
    return new Batcher<C, T>(
      (changes) =>
        change(changes).catch(async (error: unknown) => {
          if (changes.length === 1 || !hasWaitedTooLong(error)) throw error;
          const outcomes = await Promise.allSettled(changes.map((each) => change([each])));
          return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [outcome]));
        }),
      BATCHING,
    );
  }

  /** If the batch holds two claims of one order, only the first gets it. */
  private async claim(claims: readonly Claim[], onlyIfPending: boolean): Promise<Outcome<ClaimedOrder | undefined>[]> {
    const [row] = await this.transactions.writeIdempotent<Claimed>(claimOrders(claims, { onlyIfPending }));
    const claimed = new Map(row?.orders?.map((order) => [order.id, order]));
    return claims.map(({ orderId }) => {
      const order = claimed.get(orderId);
      claimed.delete(orderId);
      return fulfilled(order);
    });
  }

  private async complete(completions: readonly StatusChange[]): Promise<Outcome<boolean>[]> {
    const rows = await this.transactions.writeIdempotent<{ id: number }>(changeStatus(completions, 'completed'));
    const completed = new Set(rows.map(({ id }) => id));
    return completions.map(({ orderId }) => fulfilled(completed.delete(orderId)));
  }

  /**
   * Owes an undo if a call may have done something. A refused call has done nothing, but an earlier call may have: then two claims make
   * the undo owed. After any other error the call itself may have done something, and one claim is enough.
   */
  private async fail(orderId: number, error: unknown): Promise<void> {
    const cause = `the external call failed: ${textOf(error)}`;
    const also = oweUndo({ callMs: 0, claims: isPermanent(error) ? 2 : 1 });
    const released = await this.transactions.run(async (manager) => {
      const failed = await queryWithin(manager, changeStatus([{ orderId, cause }], 'failed'));
      if (failed.length === 0) return [];
      const ids = await queryWithin<{ id: number }>(manager, releaseOrder(orderId, 'the order failed', { also }));
      await queryWithin(manager, giveBackOrder(orderId));
      return ids;
    });
    await this.changes.announce(released.map(({ id }) => id));
    if (released.length === 0) {
      await this.undo.undoEndedCall(orderId, textOf(error));
      return;
    }
    countEnded('failed');
    this.logger.warn('The order failed and its stock was released', { order_id: orderId, error });
  }
}

/** By the job that the process works on now. */
function claimOf(orderId: number): Claim {
  return { orderId, jobId: currentContext().jobId };
}
