import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { Log } from '../../runtime/log.js';
import type { Job, Queue } from 'bullmq';
import { Config } from '../../config/config.js';
import { QueueConnection } from '../../queue/queue-connection.js';
import { isDeadLetter } from '../dead-letters/dead-letters.service.js';
import { isStillToCome, jobIdOf, orderIdOf, ORDERS_QUEUE, processOrderJob } from './order-jobs.js';

/** The states of a job that a worker will take, or has taken. */
const STATES_TO_COME = ['waiting', 'prioritized', 'delayed', 'active'];

/** Tells which orders have no job that will bring them to their end, and gives them a new one. */
@Injectable()
export class LostJobs {
  private readonly logger = new Log(LostJobs.name);

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly queue: Queue,
    private readonly connection: QueueConnection,
    private readonly config: Config,
  ) {}

  /**
   * Dispatches those of the orders that have lost their job, each with a new one, and returns how many they were. A finished job
   * that BullMQ keeps, or a foreign job, may have the id of the new job and would silently keep it out, so it is removed first. A
   * dead letter is left to an operator.
   */
  async dispatchAgain(ids: readonly number[]): Promise<number> {
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
      this.logger.debug('A job cannot be read', { job_id: jobId, error });
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
        this.logger.debug('A job cannot be removed', { job_id: jobId, error });
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
