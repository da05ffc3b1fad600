import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job, Queue } from 'bullmq';
import { In, type Repository } from 'typeorm';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';
import { jobIdOf, KEPT_FAILED, ORDERS_QUEUE, processOrderJob, type ProcessOrderPayload } from '../queue/order-jobs.js';
import { OPEN_STATUSES } from './order-status.js';
import { Order } from './order.entity.js';

const PAGE_SIZE = 500;
const REDIS_TIMEOUT_MS = 10_000;
/** What BullMQ says of a job whose worker has died too often while it worked on it. */
const STALLED = /stalled more than allowable limit/;

/** An open order that is no longer worked on by itself. */
export interface DeadLetter {
  readonly orderId: number;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: Date;
}

/** A job that took several workers with it: tried again by itself it would take the next one. An operator decides. */
export function isDeadLetter({ failedReason }: Pick<Job, 'failedReason'>): boolean {
  return STALLED.test(failedReason);
}

/** Orders whose jobs have failed for good although the orders have not ended, for an operator to see and to hand over again. */
@Injectable()
export class DeadLettersService {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectQueue(ORDERS_QUEUE) private readonly queue: Queue<ProcessOrderPayload>,
    private readonly config: Config,
  ) {}

  /** All there are, the oldest last. */
  async list(): Promise<DeadLetter[]> {
    const jobs = await withDeadline(this.queue.getFailed(0, KEPT_FAILED - 1), REDIS_TIMEOUT_MS);
    const open = await this.openOf(jobs);
    return jobs.filter((job) => open.has(job.data.orderId)).map(toDeadLetter);
  }

  /**
   * Hands the orders over again, each with a new job, and returns how many they were: the failed job is not run again. One
   * that somebody has handed over meanwhile is left as it is.
   */
  async redrive(letters: readonly DeadLetter[]): Promise<number> {
    let redriven = 0;
    for (let start = 0; start < letters.length; start += PAGE_SIZE) {
      const page = letters.slice(start, start + PAGE_SIZE);
      const jobs = await Promise.all(page.map(async ({ orderId }) => this.queue.getJob(jobIdOf(orderId))));
      const failed = jobs.filter((job) => job?.finishedOn !== undefined);
      await Promise.all(failed.map(async (job) => job?.remove()));
      const ids = failed.flatMap((job) => job?.data.orderId ?? []);
      await this.queue.addBulk(ids.map((orderId) => processOrderJob(orderId, this.config.orders)));
      redriven += ids.length;
    }
    return redriven;
  }

  private async openOf(jobs: readonly Job<ProcessOrderPayload>[]): Promise<Set<number>> {
    const ids = jobs.map(({ data }) => data.orderId);
    const open = await this.orders.find({ select: { id: true }, where: { id: In(ids), status: In(OPEN_STATUSES) } });
    return new Set(open.map(({ id }) => id));
  }
}

function toDeadLetter({ data, failedReason, attemptsMade, finishedOn }: Job<ProcessOrderPayload>): DeadLetter {
  return { orderId: data.orderId, reason: failedReason, attempts: attemptsMade, failedAt: new Date(finishedOn ?? 0) };
}
