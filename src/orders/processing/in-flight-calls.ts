import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PeriodicTask } from '../../runtime/periodic-task.js';
import { LIMITS } from '../../config/limits.js';
import { readPrepared } from '../../database/prepared-statement.js';
import { CancellationHints } from '../cancellation/cancellation-hints.js';

/** Why a call was aborted: its order was cancelled, or failed in another worker. */
class OrderEndedError extends Error {
  constructor() {
    super('The order has ended otherwise');
    this.name = 'OrderEndedError';
  }
}

/** An external call that is under way in this process. */
export interface InFlightCall {
  /** Aborted with {@link OrderEndedError}. */
  readonly controller: AbortController;
  /** Reads the order again: whether it was cancelled, or failed in another worker. */
  readonly isUnwanted: () => Promise<boolean>;
  /** To be called when the call has ended. */
  readonly end: () => void;
}

/** Aborts the external calls of orders that are cancelled meanwhile: within a moment of the hint, else at the next look. */
@Injectable()
export class InFlightCalls extends PeriodicTask {
  protected readonly intervalMs = LIMITS.cancellationLookMs;
  private readonly calls = new Set<{ readonly orderId: number; readonly controller: AbortController }>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly hints: CancellationHints,
  ) {
    super();
  }

  override async onApplicationBootstrap(): Promise<void> {
    await super.onApplicationBootstrap();
    this.hints.subscribe((orderId) => {
      if (this.isUnderWay(orderId))
        this.look([orderId]).catch((error: unknown) =>
          this.logger.warn('An order could not be looked up', { order_id: orderId, error }),
        );
    });
  }

  begin(orderId: number): InFlightCall {
    const controller = new AbortController();
    const call = { orderId, controller };
    this.calls.add(call);
    return {
      controller,
      isUnwanted: async () => hasOrderEnded(controller) || (await this.look([orderId])) > 0,
      end: () => this.calls.delete(call),
    };
  }

  /** Looks at all orders whose call is under way, and returns how many have ended. */
  async run(): Promise<number> {
    return this.calls.size === 0 ? 0 : this.look([...this.calls].map(({ orderId }) => orderId));
  }

  private isUnderWay(orderId: number): boolean {
    return [...this.calls].some((call) => call.orderId === orderId);
  }

  private async look(orderIds: readonly number[]): Promise<number> {
    const ended = await readPrepared<{ id: number }>(this.dataSource, {
      name: 'select-unwanted-orders',
      text: `SELECT id FROM orders WHERE id = ANY ($1::bigint[]) AND status IN ('failed', 'cancelled')`,
      values: [orderIds],
    });
    const ids = new Set(ended.map(({ id }) => id));
    for (const { orderId, controller } of this.calls) if (ids.has(orderId)) controller.abort(new OrderEndedError());
    return ended.length;
  }
}

/** Whether that is why the call was aborted. */
export function hasOrderEnded({ signal }: AbortController): boolean {
  return signal.reason instanceof OrderEndedError;
}
