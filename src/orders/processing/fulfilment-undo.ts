import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../../config/config.js';
import { readPrepared } from '../../database/prepared-statement.js';
import { TransactionRunner } from '../../database/transactions/transaction-runner.js';
import { backoffAfter } from '../../runtime/backoff.js';
import { withRequest } from '../../runtime/request-context.js';
import { textOf } from '../../runtime/error-text.js';
import { PeriodicTask } from '../../runtime/periodic-task.js';
import {
  type DueUndo,
  postponeUndo,
  recordUndo,
  takeDueUndos,
  undoEarlierCall,
  undoNow,
} from '../fulfilment-undo-writer.js';
import { type ClaimedOrder, selectClaimedOrder } from '../status-change.js';
import { undos } from '../metrics/processing-metrics.js';
import { FulfilmentCallsService } from './fulfilment-calls.service.js';

/** Undos that are tried at the same time. */
const BATCH_SIZE = 20;
/** Added to the timeout of the call, before another worker may take the undo. */
const LEASE_MARGIN_MS = 5_000;

/**
 * Has the gateway cancel what it did for orders that were cancelled while their call was under way, or that failed without the
 * gateway having refused them. The transaction that ends such an order inserts a row into `fulfilment_undos`, and the row stays
 * until the gateway has confirmed. The worker calls the gateway when the call has ended, or when its timeout has passed.
 */
@Injectable()
export class FulfilmentUndo extends PeriodicTask {
  protected readonly intervalMs = 1_000;

  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: TransactionRunner,
    private readonly calls: FulfilmentCallsService,
    private readonly config: Config,
  ) {
    super();
  }

  /** The call for an order has ended after the order was cancelled or failed: starts the undo, and returns without waiting for it. */
  async undoEndedCall(orderId: number, outcome: string): Promise<void> {
    const owed = await this.transactions.writeIdempotent(undoNow(orderId));
    if (owed.length === 0) return;
    this.logger.warn('The order had ended while its external call was under way, which is undone now', {
      order_id: orderId,
      error: outcome,
    });
    void this.runOnce();
  }

  /** A worker could not claim the order. If an earlier worker died in its call for an order that is now cancelled, records the undo. */
  async undoLostCall(orderId: number): Promise<void> {
    await this.transactions.writeIdempotent(undoEarlierCall(orderId));
  }

  /** Tries the undos that are due. Returns how many have succeeded. */
  async run(): Promise<number> {
    const leaseMs = this.config.orders.fulfilmentTimeoutMs + LEASE_MARGIN_MS;
    const due = await this.transactions.writeIdempotent<DueUndo>(takeDueUndos(BATCH_SIZE, leaseMs));
    const undone = await Promise.all(due.map(async (undo) => this.try(undo)));
    return undone.filter(Boolean).length;
  }

  protected override report(count: number): void {
    this.logger.info('Fulfilments were cancelled at the gateway', { count });
  }

  private async try(undo: DueUndo): Promise<boolean> {
    const { id, attempt } = undo;
    try {
      const [order] = await readPrepared<ClaimedOrder>(this.dataSource, selectClaimedOrder(id));
      if (order === undefined) throw new Error('The order is not there');
      await withRequest({ requestId: order.requestId ?? undefined }, () =>
        this.calls.undo(order, this.stopping.signal),
      );
      await this.transactions.writeIdempotent(recordUndo(undo));
      undos.inc();
      return true;
    } catch (error) {
      const waitMs = this.stopped ? 0 : backoffAfter(attempt, this.config.orders.backoffMs);
      const text = textOf(error);
      this.logger.warn('A fulfilment could not be cancelled at the gateway', { order_id: id, attempt, error });
      await this.transactions.writeIdempotent(postponeUndo(undo, { waitMs, error: text }));
      return false;
    }
  }
}
