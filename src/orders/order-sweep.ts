import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job, Queue } from 'bullmq';
import { In, LessThanOrEqual, MoreThan, type Repository } from 'typeorm';
import { Sweep } from '../common/sweep.js';
import { Config } from '../config/config.js';
import { HAND_OVER_QUEUE, type HandOverPayload, jobIdOf, ORDERS_QUEUE, processOrderJob } from '../queue/order-jobs.js';
import { isDeadLetter } from './dead-letters.service.js';
import { OPEN_STATUSES } from './order-status.js';
import { Order } from './order.entity.js';

/** Rows, or jobs, that are looked at in one go. */
const BATCH_SIZE = 500;

/**
 * Hands orders over again that stay open too long: their job was never added, or Redis lost it. An order whose job still
 * stands in the queue, or the one that it was handed over in with others, is not touched, so that a long queue costs a look
 * and no second delivery.
 */
@Injectable()
export class OrderSweep extends Sweep {
  protected readonly intervalMs: number;

  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectQueue(ORDERS_QUEUE) private readonly queue: Queue,
    @InjectQueue(HAND_OVER_QUEUE) private readonly handOvers: Queue<HandOverPayload>,
    private readonly config: Config,
  ) {
    super();
    this.intervalMs = config.orders.sweepIntervalMs;
  }

  /** Looks once at every open order that has not moved for `SWEEP_AFTER_MS`, and returns how many had lost their job. */
  async run(): Promise<number> {
    const unmovedSince = await this.findCutOff();
    let handedOver = 0;
    let last = 0;
    let together: ReadonlySet<number> | undefined;
    for (;;) {
      const ids = await this.findStale(last, unmovedSince);
      if (ids.length === 0) return handedOver;
      together ??= await this.findHandedOverTogether();
      handedOver += await this.handOver(ids.filter((id) => !together?.has(id)));
      if (ids.length < BATCH_SIZE || this.stopped) return handedOver;
      last = ids.at(-1) ?? last;
    }
  }

  protected override report(count: number): void {
    this.logger.warn(`${count} orders had lost their job and were handed over again`);
  }

  /** By PostgreSQL's clock, and once a run: what grows old while it runs may stand in a hand-over that it has not seen. */
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
  private async findHandedOverTogether(): Promise<ReadonlySet<number>> {
    const ids = new Set<number>();
    const note = (handOvers: Job<HandOverPayload>[]) => {
      for (const { data } of handOvers) for (const id of data.orderIds) ids.add(id);
      return handOvers.length;
    };
    for (let first = 0; ; first += BATCH_SIZE) {
      if (note(await this.handOvers.getJobs(['waiting'], first, first + BATCH_SIZE - 1)) === 0) break;
    }
    note(await this.handOvers.getJobs(['delayed', 'active']));
    return ids;
  }

  /**
   * A finished job that is kept has the id of the new one and would silently keep it out, so it goes first. A dead letter is
   * left to an operator.
   */
  private async handOver(ids: readonly number[]): Promise<number> {
    const jobs = await Promise.all(ids.map(async (id) => ({ id, job: await this.queue.getJob(jobIdOf(id)) })));
    const finished = jobs.filter(({ job }) => job?.finishedOn !== undefined && !isDeadLetter(job));
    await Promise.all(finished.map(async ({ job }) => job?.remove()));
    const lost = [...jobs.filter(({ job }) => job === undefined), ...finished];
    await this.queue.addBulk(lost.map(({ id }) => processOrderJob(id, this.config.orders)));
    return lost.length;
  }
}
