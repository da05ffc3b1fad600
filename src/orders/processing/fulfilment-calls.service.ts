import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { parseCents } from '../../kernel/money.js';
import { callWithDeadline } from '../../runtime/deadline.js';
import type { ClaimedOrder } from '../status-change.js';
import { FulfilmentGateway, type FulfilmentOptions, type FulfilmentOrder } from './fulfilment-gateway.js';
import { fulfilmentDuration } from '../metrics/processing-metrics.js';

const NEVER = new AbortController().signal;

/** Calls the gateway, each call with the order, its key and a deadline. */
@Injectable()
export class FulfilmentCallsService {
  constructor(
    private readonly gateway: FulfilmentGateway,
    private readonly config: Config,
  ) {}

  /** @throws what the gateway throws, DeadlineError, or an error when `stopping` is aborted first. */
  async fulfil(
    order: ClaimedOrder,
    { stopping, unwanted }: { stopping: AbortSignal; unwanted: AbortSignal },
  ): Promise<void> {
    const begin = performance.now();
    const tell = (outcome: 'done' | 'failed' | 'aborted') =>
      fulfilmentDuration.observe({ outcome }, (performance.now() - begin) / 1_000);
    const result: unknown = await callWithDeadline(
      async (signal) => this.gateway.fulfil(toFulfilmentOrder(order), { ...optionsOf(order), signal }),
      { milliseconds: this.config.orders.fulfilmentTimeoutMs, stopping, unwanted },
    ).catch((error: unknown) => {
      tell(stopping.aborted || unwanted.aborted ? 'aborted' : 'failed');
      throw error;
    });
    tell(isDone(result) ? 'done' : 'failed');
    if (!isDone(result)) throw new Error("The gateway's fulfil must resolve to { outcome: 'done' }");
  }

  /** Has the gateway cancel what it did. @throws what `fulfil` throws. */
  async undo(order: ClaimedOrder, stopping: AbortSignal): Promise<void> {
    await callWithDeadline(
      async (signal) => this.gateway.cancel(toFulfilmentOrder(order), { ...optionsOf(order), signal }),
      { milliseconds: this.config.orders.fulfilmentTimeoutMs, stopping, unwanted: NEVER },
    );
  }
}

/** An order from before there were keys was made known to its provider by its id. */
function optionsOf({ id, fulfilmentKey, requestId }: ClaimedOrder): Omit<FulfilmentOptions, 'signal'> {
  const key = fulfilmentKey ?? `order-${id}`;
  return requestId === null ? { key } : { key, requestId };
}

function toFulfilmentOrder({ id, totalPrice, items, createdAt }: ClaimedOrder): FulfilmentOrder {
  return {
    id,
    createdAt,
    totalPrice: parseCents(totalPrice),
    items: items.map(([productId, quantity, price]) => ({ productId, quantity, unitPrice: parseCents(price) })),
  };
}

/** A plug-in may be written without types. */
function isDone(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'outcome' in result && result.outcome === 'done';
}
