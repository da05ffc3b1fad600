import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PeriodicTask } from '../../runtime/periodic-task.js';
import { LIMITS } from '../../config/limits.js';
import { readPrepared } from '../../database/prepared-statement.js';
import { CancellationHints } from '../cancellation/cancellation-hints.js';

/** An external call that is under way in this process. */
export interface InFlightCall {
  /** Aborted when the order was cancelled, or failed in another worker. */
  readonly signal: AbortSignal;
  /** Reads the order again: whether it was cancelled, or failed in another worker. */
  readonly isUnwanted: () => Promise<boolean>;
  /** To be called when the call has ended. */
  readonly end: () => void;
}

/** Aborts the external calls of orders that are cancelled meanwhile: within a moment of the hint, else at the next look. */
@Injectable()
export class InFlightCalls extends PeriodicTask {
  protected readonly intervalMs = LIMITS.cancellationLookMs;
  private readonly calls = new Map<number, Set<AbortController>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly hints: CancellationHints,
  ) {
    super();
  }

  override async onApplicationBootstrap(): Promise<void> {
    await super.onApplicationBootstrap();
    this.hints.subscribe((orderId) => {
      if (this.calls.has(orderId))
        this.look([orderId]).catch((error: unknown) =>
          this.logger.warn('An order could not be looked up', { order_id: orderId, error }),
        );
    });
  }

  begin(orderId: number): InFlightCall {
    const controller = new AbortController();
    const { signal } = controller;
    const calls = this.calls.get(orderId) ?? new Set();
    this.calls.set(orderId, calls.add(controller));
    return {
      signal,
      isUnwanted: async () => signal.aborted || (await this.look([orderId])) > 0,
      end: () => {
        calls.delete(controller);
        if (calls.size === 0) this.calls.delete(orderId);
      },
    };
  }

  /** Looks at all orders whose call is under way, and returns how many have ended. */
  async run(): Promise<number> {
    return this.calls.size === 0 ? 0 : this.look([...this.calls.keys()]);
  }

  private async look(orderIds: readonly number[]): Promise<number> {
    const ended = await readPrepared<{ id: number }>(this.dataSource, {
      name: 'select-unwanted-orders',
      text: `SELECT id FROM orders WHERE id = ANY ($1::bigint[]) AND status IN ('failed', 'cancelled')`,
      values: [orderIds],
    });
    for (const { id } of ended) {
      for (const controller of this.calls.get(id) ?? []) controller.abort(new Error('The order has ended otherwise'));
    }
    return ended.length;
  }
}
