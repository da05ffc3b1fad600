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
  private underWay = 0;
  private alone = 0;
  private reserved = false;
  private onIdle: (() => void) | undefined;

  constructor(config: Config) {
    this.size = config.worker.concurrency;
    this.limit = pLimit(this.size);
  }

  /** Whether an order is to be tried alone here: until it has been, no other order may begin. */
  get isReserved(): boolean {
    return this.reserved;
  }

  /** Orders that this worker works on. */
  get inFlight(): number {
    return this.limit.activeCount + this.alone;
  }

  /** Runs `work` when a slot is free, in order of arrival. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.underWay++;
    try {
      return await this.limit(work);
    } finally {
      this.underWay--;
      if (this.underWay === 0) this.onIdle?.();
    }
  }

  /** Reserves the worker, waits until all other orders here have ended, and runs `work` alone. Expects that it is not reserved. */
  async runAlone<T>(work: () => Promise<T>): Promise<T> {
    this.reserve(true);
    try {
      if (this.underWay > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
      this.alone = 1;
      return await work();
    } finally {
      this.alone = 0;
      this.onIdle = undefined;
      this.reserve(false);
    }
  }

  /** For a dispatched order that has its slot: until it is called with -1, one slot less is left for orders with a job of their own. */
  lend(slots: 1 | -1): void {
    this.dispatched += slots;
    this.tell();
  }

  /** Tells how many slots are left for orders with a job of their own, whenever that changes. */
  onChange(listener: (forSingleOrders: number) => void): void {
    this.listeners.push(listener);
  }

  private reserve(reserved: boolean): void {
    this.reserved = reserved;
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener(this.reserved ? 1 : this.size - this.dispatched);
  }
}
