import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job, Queue } from 'bullmq';
import { In, type Repository } from 'typeorm';
import { answeredByQueue } from '../../queue/answered-by-queue.js';
import { Config } from '../../config/config.js';
import { jobIdOf, KEPT_FAILED, orderIdOf, ORDERS_QUEUE, processOrderJob } from '../processing/order-jobs.js';
import { OPEN_STATUSES } from '../order-status.js';
import { Order } from '../order.entity.js';

const PAGE_SIZE = 500;
const REDIS_TIMEOUT_MS = 10_000;
/** What BullMQ says of a job whose worker has died too often while it worked on it. */
const STALLED = /stalled more than allowable limit/;

/** An open order whose job has ended several workers: the system no longer tries it by itself. */
export interface DeadLetter {
  readonly orderId: number;
  readonly jobId: string;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: Date;
}

/** Whether a job has ended several workers: tried again without an operator, it would end the next one. */
export function isDeadLetter({ failedReason, data }: Pick<Job<unknown>, 'failedReason' | 'data'>): boolean {
  return orderIdOf(data) !== undefined && isStalledTooOften(failedReason);
}

/** Whether BullMQ gives this as the reason when it fails a job whose workers have died. */
export function isStalledTooOften(reason: string): boolean {
  return STALLED.test(reason);
}

/** Shows an operator the dead letters, and dispatches them again. */
@Injectable()
export class DeadLettersService {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectQueue(ORDERS_QUEUE) private readonly queue: Queue<unknown>,
    private readonly config: Config,
  ) {}

  /** All there are, each order once, the oldest last. @throws QueueUnavailableError */
  async list(timeoutMs = REDIS_TIMEOUT_MS): Promise<DeadLetter[]> {
    const jobs = await answeredByQueue(this.queue.getFailed(0, KEPT_FAILED - 1), timeoutMs);
    const letters = new Map<number, DeadLetter>();
    for (const letter of jobs.flatMap(toDeadLetter)) {
      if (!letters.has(letter.orderId)) letters.set(letter.orderId, letter);
    }
    const open = await this.openOf([...letters.keys()]);
    return [...letters.values()].filter(({ orderId }) => open.has(orderId));
  }

  /**
   * Dispatches the orders again, each with a new job, and returns how many they were: the failed job is not run again. One
   * that somebody has dispatched meanwhile is left as it is.
   */
  async redrive(letters: readonly DeadLetter[]): Promise<number> {
    let redriven = 0;
    for (let start = 0; start < letters.length; start += PAGE_SIZE) {
      const page = letters.slice(start, start + PAGE_SIZE);
      const removed = await Promise.all(
        page.map(async (letter) => ((await this.remove(letter).catch(() => false)) ? letter.orderId : [])),
      );
      const ids = removed.flat();
      await this.queue.addBulk(ids.map((orderId) => processOrderJob(orderId, this.config.orders)));
      redriven += ids.length;
    }
    return redriven;
  }

  /** Removes the failed job, and one of the order's own id that would keep the new one out; false when nothing has failed. */
  private async remove({ orderId, jobId }: DeadLetter): Promise<boolean> {
    const jobs = await Promise.all([...new Set([jobId, jobIdOf(orderId)])].map(async (id) => this.queue.getJob(id)));
    const there = jobs.filter((job) => job !== undefined);
    const finished = there.filter(({ finishedOn }) => finishedOn !== undefined);
    if (finished.length === 0 || finished.length < there.length) return false;
    await Promise.all(finished.map(async (job) => job.remove()));
    return true;
  }

  private async openOf(ids: readonly number[]): Promise<Set<number>> {
    const open = await this.orders.find({ select: { id: true }, where: { id: In(ids), status: In(OPEN_STATUSES) } });
    return new Set(open.map(({ id }) => id));
  }
}

/** None for a job that names no order, or that has failed otherwise: the sweep dispatches its order again. */
function toDeadLetter(job: Job<unknown>): DeadLetter[] {
  const { id = '', data, failedReason, attemptsMade, finishedOn } = job;
  const orderId = orderIdOf(data);
  if (orderId === undefined || !isDeadLetter(job)) return [];
  return [{ orderId, jobId: id, reason: failedReason, attempts: attemptsMade, failedAt: new Date(finishedOn ?? 0) }];
}
