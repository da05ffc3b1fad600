import { Injectable } from '@nestjs/common';
import { ObservedGauges } from '../../telemetry/observed-gauges.js';
import { OrderService } from '../purchase/order.service.js';
import { purchasesWaiting } from './purchase-metrics.js';

/** Tells how many purchases wait for their turn. */
@Injectable()
export class PurchasesWaiting extends ObservedGauges {
  protected readonly gauges = [purchasesWaiting];

  constructor(private readonly orders: OrderService) {
    super();
  }

  protected read(): void {
    purchasesWaiting.set(this.orders.waiting);
  }
}
