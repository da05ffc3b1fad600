import { Injectable } from '@nestjs/common';
import { Config } from '../../../config/config.js';

/** Whether an order was dispatched with others, or has a job of its own. */
interface Kind {
  readonly isDispatched: boolean;
}

/** Somebody who waits for slots. */
interface Waiting extends Kind {
  readonly wanted: number;
  /** Is told how many of them it has. */
  resolve: (slots: number) => void;
}

/**
 * The slots of this worker: each order that is being worked on holds one of `WORKER_CONCURRENCY`, whether it has a job of its own
 * or was dispatched with others. The two kinds share the slots and know nothing of each other; one slot is kept for orders with a job of
 * their own.
 *
 * Slots that are given back in one turn of the event loop are taken together after it, so that orders which end together are followed by
 * orders that begin together, and are claimed in one statement.
 */
@Injectable()
export class OrderSlots {
  /** Slots in all. */
  readonly size: number;
  /** Those of them that dispatched orders may have. */
  private readonly forDispatched: number;
  private taken = 0;
  /** Those of them that dispatched orders have. */
  private dispatched = 0;
  /** In order of arrival. */
  private waiting: Waiting[] = [];
  private reserved = false;
  private isSettling = false;
  private told: number;
  private onIdle: (() => void) | undefined;
  private readonly listeners: ((forSingleOrders: number) => void)[] = [];

  constructor(config: Config) {
    this.size = config.worker.concurrency;
    this.forDispatched = this.size - 1;
    this.told = this.size;
  }

  /** Whether an order is to be tried alone here: until it has been, no other order may begin. */
  get isReserved(): boolean {
    return this.reserved;
  }

  /** Orders that this worker works on. */
  get inFlight(): number {
    return this.taken;
  }

  /** For an order with a job of its own: runs `work` when a slot is free, in order of arrival. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.take(1, { isDispatched: false });
    try {
      return await work();
    } finally {
      this.giveBack(1, { isDispatched: false });
    }
  }

  /**
   * For orders that were dispatched together: takes as many of the wanted slots as are free, in order of arrival, and waits for the first.
   * Gives how many those are, 0 when none was free in time or the worker is reserved. They go back by {@link giveBackDispatched}.
   */
  takeDispatched(wanted: number, patienceMs: number): Promise<number> {
    return this.reserved ? Promise.resolve(0) : this.take(wanted, { isDispatched: true, patienceMs });
  }

  giveBackDispatched(slots: number): void {
    this.giveBack(slots, { isDispatched: true });
  }

  /** Reserves the worker, waits until all other orders here have ended, and runs `work` alone. Expects that it is not reserved. */
  async runAlone<T>(work: () => Promise<T>): Promise<T> {
    this.reserve(true);
    try {
      if (this.taken + this.waiting.length > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
      return await this.run(work);
    } finally {
      this.onIdle = undefined;
      this.reserve(false);
    }
  }

  /**
   * Tells how many slots are left for orders with a job of their own, now and whenever that changes. Dispatched orders that wait count as
   * if they had theirs: a job that was taken meanwhile would wait behind them, and another worker could have it.
   */
  onChange(listener: (forSingleOrders: number) => void): void {
    this.listeners.push(listener);
    listener(this.told);
  }

  private take(wanted: number, { isDispatched, patienceMs }: Kind & { patienceMs?: number }): Promise<number> {
    return new Promise((resolve) => {
      const waiting = { wanted, isDispatched, resolve };
      this.waiting.push(waiting);
      // What has come back in this turn is given out after it.
      if (!this.isSettling) this.grant();
      if (patienceMs === undefined || !this.waiting.includes(waiting)) return;
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((other) => other !== waiting);
        this.tell();
        resolve(0);
      }, patienceMs);
      waiting.resolve = (slots) => {
        clearTimeout(timer);
        resolve(slots);
      };
    });
  }

  private giveBack(slots: number, { isDispatched }: Kind): void {
    this.taken -= slots;
    if (isDispatched) this.dispatched -= slots;
    if (this.isSettling) return;
    this.isSettling = true;
    process.nextTick(() => {
      this.isSettling = false;
      this.grant();
      if (this.taken === 0) this.onIdle?.();
    });
  }

  /** Gives what is free to those who wait. */
  private grant(): void {
    this.waiting = this.waiting.filter((waiting) => {
      const { wanted, isDispatched } = waiting;
      const free = isDispatched
        ? Math.min(this.size - this.taken, this.forDispatched - this.dispatched)
        : this.size - this.taken;
      const slots = Math.min(wanted, free);
      if (slots <= 0) return true;
      this.taken += slots;
      if (isDispatched) this.dispatched += slots;
      waiting.resolve(slots);
      return false;
    });
    this.tell();
  }

  private reserve(reserved: boolean): void {
    this.reserved = reserved;
    for (const waiting of this.waiting) if (waiting.isDispatched) waiting.resolve(0);
    this.waiting = this.waiting.filter(({ isDispatched }) => !isDispatched);
    this.tell();
  }

  private tell(): void {
    const wanted = this.waiting.reduce((sum, each) => sum + (each.isDispatched ? each.wanted : 0), this.dispatched);
    const left = this.reserved ? 1 : this.size - Math.min(wanted, this.forDispatched);
    if (left === this.told) return;
    this.told = left;
    for (const listener of this.listeners) listener(left);
  }
}
