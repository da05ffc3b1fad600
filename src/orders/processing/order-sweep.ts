import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job, Queue } from 'bullmq';
import { In, LessThanOrEqual, MoreThan, type Repository } from 'typeorm';
import { MAX_BACKOFF_MS } from '../../runtime/backoff.js';
import { PeriodicTask } from '../../runtime/periodic-task.js';
import { Config } from '../../config/config.js';
import {
  DISPATCH_QUEUE,
  isStillToCome,
  jobIdOf,
  orderIdOf,
  orderIdsOf,
  ORDERS_QUEUE,
  processOrderJob,
} from './order-jobs.js';
import { QueueConnection } from '../../queue/queue-connection.js';
import { isDeadLetter } from './dead-letters.service.js';
import { OPEN_STATUSES } from '../order-status.js';
import { Order } from '../order.entity.js';

/** The states of a job that a worker will take, or has taken. */
const STATES_TO_COME = ['waiting', 'prioritized', 'delayed', 'active'];

/** Rows, or jobs, that are looked at in one go. */
const BATCH_SIZE = 500;

/**
 * Dispatches orders again that stay open too long: their job was never added, or Redis lost it. An order whose job still
 * stands in the queue, or the one that it was dispatched in with others, is not touched, so that a long queue costs a look
 * and no second delivery.
 */
@Injectable()
export class OrderSweep extends PeriodicTask {
  protected readonly intervalMs: number;

  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectQueue(ORDERS_QUEUE) private readonly queue: Queue,
    @InjectQueue(DISPATCH_QUEUE) private readonly dispatches: Queue<unknown>,
    private readonly connection: QueueConnection,
    private readonly config: Config,
  ) {
    super();
    this.intervalMs = config.orders.sweepIntervalMs;
  }

  /** Looks once at every open order that has not moved for `SWEEP_AFTER_MS`, and returns how many had lost their job. */
  async run(): Promise<number> {
    const unmovedSince = await this.findCutOff();
    let dispatched = 0;
    let last = 0;
    let together: ReadonlySet<number> | undefined;
    for (;;) {
      const ids = await this.findStale(last, unmovedSince);
      if (ids.length === 0) return dispatched;
      together ??= await this.findDispatched().catch((error: unknown) => this.ignoreDispatches(error));
      dispatched += await this.dispatch(ids.filter((id) => !together?.has(id)));
      if (ids.length < BATCH_SIZE || this.stopped) return dispatched;
      last = ids.at(-1) ?? last;
    }
  }

  protected override report(count: number): void {
    this.logger.warn(`${count} orders had lost their job and were dispatched again`);
  }

  /** By PostgreSQL's clock, and once a run: what grows old while it runs may stand in a dispatch that it has not seen. */
  private async findCutOff(): Promise<Date> {
    const [row] = await this.orders.query<[{ since: Date }]>(
      `SELECT clock_timestamp() - $1 * interval '1 millisecond' AS since`,
      [this.config.orders.sweepAfterMs],
    );
    return row.since;
  }

  private async findStale(after: number, unmovedSince: Date): Promise<number[]> {
    const stale = await this.orders.find({
      select: { id: true },
      where: { id: MoreThan(after), status: In(OPEN_STATUSES), updatedAt: LessThanOrEqual(unmovedSince) },
      order: { id: 'ASC' },
      take: BATCH_SIZE,
    });
    return stale.map(({ id }) => id);
  }

  /**
   * Those that wait in a job with others, or are being worked on in it. Listed from the newest on, and what is taken meanwhile
   * last, so that none slips through; little by little, for the list may be long and Redis serves others as well.
   */
  private async findDispatched(): Promise<ReadonlySet<number>> {
    const ids = new Set<number>();
    const note = (dispatches: Job<unknown>[]) => {
      for (const { data, delay } of dispatches)
        if (delay <= MAX_BACKOFF_MS) for (const id of orderIdsOf(data)) ids.add(id);
      return dispatches.length;
    };
    for (let first = 0; ; first += BATCH_SIZE) {
      if (note(await this.dispatches.getJobs(['waiting'], first, first + BATCH_SIZE - 1)) === 0) break;
    }
    note(await this.dispatches.getJobs(['delayed', 'active']));
    return ids;
  }

  /** A foreign job in the queue cannot be read: then orders that stand in a dispatch may be dispatched again. */
  private ignoreDispatches(error: unknown): ReadonlySet<number> {
    this.logger.warn(`The dispatches cannot be read, their orders get jobs of their own: ${String(error)}`);
    return new Set();
  }

  /**
   * A finished job that BullMQ keeps, or a foreign job, may have the id of the new job and would silently keep it out, so it is removed
   * first. A dead letter is left to an operator.
   */
  private async dispatch(ids: readonly number[]): Promise<number> {
    const looked = await Promise.all(ids.map(async (id) => ({ id, isLost: await this.isLost(id) })));
    const lost = looked.filter(({ isLost }) => isLost);
    await this.queue.addBulk(lost.map(({ id }) => processOrderJob(id, this.config.orders)));
    return lost.length;
  }

  /** Whether no job will bring the order to its end; what stands in the place of its job is removed then. */
  private async isLost(orderId: number): Promise<boolean> {
    const jobId = jobIdOf(orderId);
    // Before the job: one that ends in between is seen as ended.
    const state = await this.queue.getJobState(jobId);
    const job = await this.queue.getJob(jobId).catch(async (error: unknown) => {
      this.logger.debug(`${jobId} cannot be read: ${String(error)}`);
      await this.connection.client.del(this.queue.toKey(jobId));
      return undefined;
    });
    if (job === undefined) return true;
    const isKept =
      job.finishedOn === undefined ? willBeWorkedOn(job, { state, orderId }) : isDeadLetterOf(job, orderId);
    if (isKept) return false;
    return job.remove().then(
      () => true,
      (error: unknown) => {
        // A worker holds it, and is about to end it: the next look decides.
        this.logger.debug(`${jobId} cannot be removed: ${String(error)}`);
        return false;
      },
    );
  }
}

/** An unfinished job that names the order, waits no longer than this system lets a job wait, and stands where workers look. */
function willBeWorkedOn(job: Job<unknown>, { state, orderId }: { state: string; orderId: number }): boolean {
  return isStillToCome(job, orderId) && STATES_TO_COME.includes(state);
}

function isDeadLetterOf(job: Job<unknown>, orderId: number): boolean {
  return orderIdOf(job.data) === orderId && isDeadLetter(job);
}
