import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import {
  FulfilmentGateway,
  type FulfilmentOptions,
  type FulfilmentOrder,
  type FulfilmentResult,
} from './fulfilment-gateway.js';

/** Stands in for a provider that takes `ORDER_PROCESSING_DELAY_MS` and always succeeds. It waits without blocking the others. */
@Injectable()
export class SimulatedFulfilmentGateway extends FulfilmentGateway {
  constructor(private readonly config: Config) {
    super();
  }

  async fulfil(_order: FulfilmentOrder, { signal }: FulfilmentOptions): Promise<FulfilmentResult> {
    const { processingDelayMs } = this.config.orders;
    if (processingDelayMs > 0) await delay(processingDelayMs, undefined, { signal });
    return { outcome: 'done' };
  }

  async cancel(): Promise<void> {
    // It has done nothing that could be undone.
  }
}
