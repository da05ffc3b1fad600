import { Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { Config } from '../../config/config.js';

/**
 * The slots of this worker: each order that is being worked on holds one of `WORKER_CONCURRENCY`, whether it has a job of its own
 * or was dispatched with others. The two kinds share the slots and know nothing of each other.
 */
@Injectable()
export class OrderSlots {
  /** Slots in all. */
  readonly size: number;
  private readonly limit: LimitFunction;
  private readonly listeners: ((forSingleOrders: number) => void)[] = [];
  private dispatched = 0;

  constructor(config: Config) {
    this.size = config.worker.concurrency;
    this.limit = pLimit(this.size);
  }

  /** Runs `work` when a slot is free, in order of arrival. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    return this.limit(work);
  }

  /** Runs `work` for a dispatched order that has its slot: meanwhile one slot less is left for orders with a job of their own. */
  async lendTo<T>(work: () => Promise<T>): Promise<T> {
    this.lend(1);
    try {
      return await work();
    } finally {
      this.lend(-1);
    }
  }

  /** Tells how many slots are left for orders with a job of their own, whenever that changes. */
  onChange(listener: (forSingleOrders: number) => void): void {
    this.listeners.push(listener);
  }

  private lend(slots: number): void {
    this.dispatched += slots;
    for (const listener of this.listeners) listener(this.size - this.dispatched);
  }
}
