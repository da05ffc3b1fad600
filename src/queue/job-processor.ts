import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Log } from '../runtime/log.js';
import { DelayedError, type Job } from 'bullmq';
import { withRequest } from '../runtime/request-context.js';
import { withDeadline } from '../runtime/deadline.js';
import type { Config } from '../config/config.js';

/** How much of the time that a stop may take is left for jobs to go back in. */
const GOING_BACK_MS = 1_000;

/** How soon a worker that may take more jobs does so, at the latest. */
const WAKE_UP_MS = 10;

/**
 * The life of a processor: it takes jobs when the process is up, and lets the running ones end or go back when it stops in order. What
 * happens to the jobs of a process that dies is in the options of each processor.
 */
export abstract class JobProcessor
  extends WorkerHost
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown
{
  protected readonly logger = new Log(this.constructor.name);
  private readonly interruption = new AbortController();
  private closing: Promise<void> | undefined;
  private running = 0;
  private wakeUp: NodeJS.Timeout | undefined;

  constructor(protected readonly config: Config) {
    super();
  }

  /** Works on a job; when `signal` is aborted, it shall end soon, and whatever it throws then sends the job back. */
  protected abstract work(job: Job, signal: AbortSignal): Promise<void>;

  onApplicationBootstrap(): void {
    this.worker.run().catch((error: unknown) => this.logger.error('The worker of a queue stopped', { error }));
  }

  /**
   * Ignores a job that this system has not made. If such a job failed, it would hide the dead letters among
   * others like it.
   */
  protected ignore(job: Job): void {
    this.logger.warn('A job is ignored: its payload is not one of this system', { job_id: job.id });
  }

  /** Works on so many jobs at once from now on. */
  protected takeAtMost(jobs: number): void {
    const { concurrency } = this.worker;
    // BullMQ's loop, when it is full, sees that it may take more only after a job of its own has ended, or when it resumes.
    if (jobs > concurrency && this.running >= concurrency) this.wakeUp ??= setTimeout(() => this.resume(), WAKE_UP_MS);
    this.worker.concurrency = jobs;
  }

  /** Ends the work on a job, and lets the queue give it to a worker again after `delayMs`, with its attempts as they were. */
  protected async postpone(job: Job, delayMs: number): Promise<never> {
    await job.moveToDelayed(Date.now() + delayMs, job.token);
    throw new DelayedError();
  }

  /** A job that is interrupted goes back to the queue, with its attempts as they were. */
  async process(job: Job): Promise<void> {
    const { signal } = this.interruption;
    this.running++;
    try {
      await withRequest({ requestId: undefined, jobId: job.id }, () => this.work(job, signal));
    } catch (error) {
      if (!signal.aborted || error instanceof DelayedError) throw error;
      await this.postpone(job, 0);
    } finally {
      this.running--;
    }
  }

  private resume(): void {
    this.wakeUp = undefined;
    void this.worker.pause(true);
    void this.worker.resume();
  }

  /** All processors stop taking jobs at once, before any of them is waited for. */
  onModuleDestroy(): void {
    this.closing = withDeadline(this.worker.close(), this.config.shutdownTimeoutMs).catch(() =>
      this.logger.warn('Jobs were still running at the deadline; another worker takes them when their locks run out'),
    );
    const patienceMs = Math.max(this.config.shutdownTimeoutMs - GOING_BACK_MS, 0);
    setTimeout(() => this.interruption.abort(new Error('The worker stops')), patienceMs).unref();
  }

  /** Waits for the running jobs while PostgreSQL and Redis are still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.closing;
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    this.logger.warn('An attempt failed', { job_id: job?.id, attempt: job?.attemptsMade, error });
  }

  /** Without a listener an error of the connection would end the process. The connection itself logs. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug('The connection of a queue failed', { error });
  }
}
