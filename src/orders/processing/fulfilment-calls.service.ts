import { Injectable } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { Config } from '../../config/config.js';
import { parseCents } from '../../kernel/money.js';
import { type Abortable, callWithDeadline } from '../../runtime/deadline.js';
import { currentTraceparent, inSpan } from '../../telemetry/tracing.js';
import type { ClaimedOrder } from '../status-change.js';
import { FulfilmentGateway, type FulfilmentOptions, type FulfilmentOrder } from './fulfilment-gateway.js';
import { hasOrderEnded } from './in-flight-calls.js';
import { type CallOutcome, measureCall } from '../metrics/processing-metrics.js';

/** Calls the gateway, each call with the order, its key and a deadline. */
@Injectable()
export class FulfilmentCallsService {
  constructor(
    private readonly gateway: FulfilmentGateway,
    private readonly config: Config,
  ) {}

  /** @throws what the gateway throws, DeadlineError, or an error when `stopping` is aborted first. */
  async fulfil(order: ClaimedOrder, abortable: Required<Abortable>): Promise<void> {
    const begin = performance.now();
    let outcome: CallOutcome = 'failed';
    try {
      const result: unknown = await this.call('fulfil order', order, {
        call: (options) => this.gateway.fulfil(toFulfilmentOrder(order), options),
        ...abortable,
      });
      if (!isDone(result)) throw new Error("The gateway's fulfil must resolve to { outcome: 'done' }");
      outcome = 'done';
    } catch (error) {
      if (abortable.stopping.aborted || hasOrderEnded(abortable.controller)) outcome = 'aborted';
      throw error;
    } finally {
      measureCall(outcome, performance.now() - begin);
    }
  }

  /** Has the gateway cancel what it did. @throws what `fulfil` throws. */
  async undo(order: ClaimedOrder, stopping: AbortSignal): Promise<void> {
    await this.call('cancel fulfilment', order, {
      call: (options) => this.gateway.cancel(toFulfilmentOrder(order), options),
      stopping,
    });
  }

  private call<T>(
    name: string,
    order: ClaimedOrder,
    { call, ...abortable }: Abortable & { readonly call: (options: FulfilmentOptions) => Promise<T> },
  ): Promise<T> {
    const milliseconds = this.config.orders.fulfilmentTimeoutMs;
    const attributes = { 'order_system.order_id': order.id };
    return inSpan(name, { kind: SpanKind.CLIENT, attributes }, () =>
      callWithDeadline((signal) => call({ ...optionsOf(order), signal }), { milliseconds, ...abortable }),
    );
  }
}

/** An order from before there were keys was made known to its provider by its id. */
function optionsOf({ id, fulfilmentKey, requestId }: ClaimedOrder): Omit<FulfilmentOptions, 'signal'> {
  const traceparent = currentTraceparent();
  return {
    key: fulfilmentKey ?? `order-${id}`,
    ...(requestId === null ? {} : { requestId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

function toFulfilmentOrder({ id, totalPrice, items, createdAtMs }: ClaimedOrder): FulfilmentOrder {
  return {
    id,
    createdAt: new Date(createdAtMs),
    totalPrice: parseCents(totalPrice),
    items: items
      .map(([productId, quantity, price]) => ({ productId, quantity, unitPrice: parseCents(price) }))
      .sort((a, b) => a.productId - b.productId),
  };
}

/** A plug-in may be written without types. */
function isDone(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'outcome' in result && result.outcome === 'done';
}
