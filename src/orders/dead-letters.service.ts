import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job, Queue } from 'bullmq';
import { In, type Repository } from 'typeorm';
import { Config } from '../config/config.js';
import { ORDERS_QUEUE, processOrderJob, type ProcessOrderPayload } from '../queue/order-jobs.js';
import { OPEN_STATUSES } from './order-status.js';
import { Order } from './order.entity.js';

const PAGE_SIZE = 500;
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

  /** All there are; as many failed jobs as are kept are looked through. */
  async list(): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    for (let start = 0; ; start += PAGE_SIZE) {
      const jobs = await this.queue.getFailed(start, start + PAGE_SIZE - 1);
      const open = await this.openOf(jobs);
      letters.push(...jobs.filter((job) => open.has(job.data.orderId)).map(toDeadLetter));
      if (jobs.length < PAGE_SIZE) return letters;
    }
  }

  /** Hands the orders over again, each with a new job, and returns how many they were: the failed job is not run again. */
  async redrive(letters: readonly DeadLetter[]): Promise<number> {
    for (let start = 0; start < letters.length; start += PAGE_SIZE) {
      const jobs = letters
        .slice(start, start + PAGE_SIZE)
        .map(({ orderId }) => processOrderJob(orderId, this.config.orders));
      await Promise.all(jobs.map(async ({ opts }) => this.queue.remove(opts.jobId ?? '')));
      await this.queue.addBulk(jobs);
    }
    return letters.length;
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
