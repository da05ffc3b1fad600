import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { READS } from '../../database/data-source-options.js';
import { RowCounts } from '../../database/lists/row-counts.js';
import { readPrepared } from '../../database/prepared-statement.js';
import { gauge } from '../../telemetry/metrics.js';
import { ObservedGauges } from '../../telemetry/observed-gauges.js';
import { OPEN_STATUSES } from '../order-status.js';

const openOrders = gauge({
  name: 'orders_open',
  unit: 'orders',
  help: 'Orders that have not come to their end. Every API and every worker tells it of the whole shop: take the maximum.',
  labels: { status: OPEN_STATUSES },
});

const oldestAge = gauge({
  name: 'orders_oldest_open_age_seconds',
  unit: 'seconds',
  help: 'Age of the oldest open order, 0 without one; of the whole shop.',
});

/** The first entry of the index of open orders, as seconds. */
const OLDEST = {
  name: 'oldest-open-order',
  text: `SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 AS age FROM orders
         WHERE status IN ('pending', 'processing') ORDER BY id LIMIT 1`,
};

/** Tells how many orders wait for their end, and for how long, at a cost that does not grow with the orders. */
@Injectable()
export class BacklogMetrics extends ObservedGauges {
  protected readonly gauges = [openOrders, oldestAge];

  constructor(
    @InjectDataSource(READS) private readonly reads: DataSource,
    private readonly counts: RowCounts,
  ) {
    super();
  }

  protected async read(): Promise<void> {
    const totals = await this.counts.totals(OPEN_STATUSES.map((status) => `orders:${status}`));
    const [oldest] = await readPrepared<{ age: number }>(this.reads, OLDEST);
    for (const status of OPEN_STATUSES) openOrders.set({ status }, totals.get(`orders:${status}`) ?? 0);
    oldestAge.set(Math.max(oldest?.age ?? 0, 0));
  }
}
