import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { FulfilmentGateway } from './fulfilment-gateway.js';

/** Stands in for a provider that takes `ORDER_PROCESSING_DELAY_MS` and always succeeds. It waits without blocking the others. */
@Injectable()
export class SimulatedFulfilmentGateway extends FulfilmentGateway {
  constructor(private readonly config: Config) {
    super();
  }

  async fulfil(): Promise<void> {
    if (this.config.orders.processingDelayMs > 0) await delay(this.config.orders.processingDelayMs);
  }
}
