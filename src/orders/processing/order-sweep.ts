import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Queue } from 'bullmq';
import { In, MoreThan, type Repository } from 'typeorm';
import { MAX_BACKOFF_MS } from '../../runtime/backoff.js';
import { PeriodicTask } from '../../runtime/periodic-task.js';
import { Config } from '../../config/config.js';
import { LostJobs } from './lost-jobs.js';
import { DISPATCH_QUEUE, orderIdsOf } from './order-jobs.js';
import { OPEN_STATUSES } from '../order-status.js';
import { Order } from '../order.entity.js';
import { ordersRescued } from '../metrics/processing-metrics.js';
import { WorkerRegistry } from '../../workers/worker-registry.js';

/** Open orders that are looked at in one go. */
const PAGE_SIZE = 500;
/** Pages of a run, so many at most, and so many of them that hold no order to be dispatched. */
const MAX_PAGES = 100;
const MAX_FRUITLESS_PAGES = 2;
/** Dispatches that workers hold, or have sent back: more than this system ever has. */
const MAX_DISPATCHES = 1_000;
/** How far the clocks of PostgreSQL and of the processes that dispatch may be apart. A larger difference costs a second delivery. */
const CLOCK_SKEW_MS = 5_000;

/** An open order, and whether it is to be looked at. */
interface OpenOrder {
  readonly id: number;
  readonly isStale: boolean;
  readonly isYoung: boolean;
}

/** An order is stale when it has not moved since, and was made before: by PostgreSQL's clock. */
interface CutOff {
  readonly unmovedSince: Date;
  readonly madeBefore: Date;
}

/**
 * Dispatches orders again that stay open too long: their job was never added, or Redis lost it. An order whose job still
 * stands in the queue, or the one that it was dispatched in with others, is not touched.
 *
 * The cost of a run does not grow with the backlog. A run looks at a bounded number of orders whose jobs are there, and the next run
 * goes on behind them. Of the orders that were dispatched together, it looks at none that is younger than the oldest dispatch that
 * still waits: workers take dispatches in order, so its turn has not come.
 */
@Injectable()
export class OrderSweep extends PeriodicTask {
  protected readonly intervalMs: number;
  /** The order that the last run has ended with; the next one goes on behind it. */
  private last = 0;

  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly jobs: LostJobs,
    @InjectQueue(DISPATCH_QUEUE) private readonly dispatches: Queue<unknown>,
    private readonly workers: WorkerRegistry,
    private readonly config: Config,
  ) {
    super();
    this.intervalMs = config.orders.sweepIntervalMs;
  }

  /** One worker sweeps for all. */
  async run(): Promise<number> {
    return (await this.workers.leads()) ? this.sweep() : 0;
  }

  /** Looks at open orders that have not moved for `SWEEP_AFTER_MS`, and returns how many had lost their job. */
  async sweep(): Promise<number> {
    const cutOff = await this.findCutOff();
    const together = await this.findDispatched().catch((error: unknown) => this.ignoreDispatches(error));
    let dispatched = 0;
    let fruitless = 0;
    for (let pages = 0; pages < MAX_PAGES && fruitless < MAX_FRUITLESS_PAGES && !this.stopped; pages++) {
      const page = await this.findOpen(cutOff);
      const stale = page.filter(({ id, isStale }) => isStale && !together.has(id));
      const lost = await this.jobs.dispatchAgain(stale.map(({ id }) => id));
      dispatched += lost;
      if (lost === 0) fruitless++;
      const end = page.at(-1);
      const isThrough = end === undefined || page.length < PAGE_SIZE || end.isYoung;
      this.last = isThrough ? 0 : end.id;
      if (isThrough) break;
    }
    ordersRescued.inc(dispatched);
    return dispatched;
  }

  protected override report(count: number): void {
    this.logger.warn('Orders had lost their job and were dispatched again', { count });
  }

  /** Once a run: what grows old while it runs may stand in a dispatch that it has not seen. */
  private async findCutOff(): Promise<CutOff> {
    const { sweepAfterMs } = this.config.orders;
    const [row] = await this.orders.query<[{ unmovedSince: Date }]>(
      `SELECT clock_timestamp() - $1 * interval '1 millisecond' AS "unmovedSince"`,
      [sweepAfterMs],
    );
    const waitingSince = await this.findOldestDispatch().catch(() => undefined);
    // An order waits at most half of `SWEEP_AFTER_MS` before it is dispatched with others.
    const madeBefore = waitingSince === undefined ? Infinity : waitingSince - sweepAfterMs / 2 - CLOCK_SKEW_MS;
    return { ...row, madeBefore: madeBefore < row.unmovedSince.getTime() ? new Date(madeBefore) : row.unmovedSince };
  }

  /** The time at which the dispatch was added that a worker takes next, in ms since the epoch. */
  private async findOldestDispatch(): Promise<number | undefined> {
    const [oldest] = await this.dispatches.getJobs(['waiting'], 0, 0, true);
    return oldest === undefined || orderIdsOf(oldest.data).length === 0 ? undefined : oldest.timestamp;
  }

  private async findOpen({ unmovedSince, madeBefore }: CutOff): Promise<OpenOrder[]> {
    const page = await this.orders.find({
      select: { id: true, createdAt: true, updatedAt: true },
      where: { id: MoreThan(this.last), status: In(OPEN_STATUSES) },
      order: { id: 'ASC' },
      take: PAGE_SIZE,
    });
    return page.map(({ id, createdAt, updatedAt }) => {
      const isYoung = createdAt > madeBefore;
      return { id, isYoung, isStale: !isYoung && updatedAt <= unmovedSince };
    });
  }

  /** Those that are being worked on in a job with others. */
  private async findDispatched(): Promise<ReadonlySet<number>> {
    const jobs = await this.dispatches.getJobs(['delayed', 'active'], 0, MAX_DISPATCHES - 1);
    return new Set(jobs.filter(({ delay }) => delay <= MAX_BACKOFF_MS).flatMap(({ data }) => orderIdsOf(data)));
  }

  /** A foreign job in the queue cannot be read: then orders that stand in a dispatch may be dispatched again. */
  private ignoreDispatches(error: unknown): ReadonlySet<number> {
    this.logger.warn('The dispatches cannot be read; their orders get jobs of their own', { error });
    return new Set();
  }
}
