import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { gauge } from '../telemetry/metrics.js';
import { ObservedGauges } from '../telemetry/observed-gauges.js';
import { OPEN_STATUSES } from './order-status.js';

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

/** The counts that lists use, so that the cost does not grow with the orders; and the first entry of the index of open orders. */
const BACKLOG = {
  name: 'order-backlog',
  text: `
    SELECT (SELECT coalesce(json_object_agg(status, rows), '{}') FROM (
              SELECT split_part(list, ':', 2) AS status, sum(rows) AS rows FROM (
                SELECT list, rows FROM row_counts WHERE list = ANY ($1::text[]) AND level = 1
                UNION ALL SELECT list, change FROM row_count_changes WHERE list = ANY ($1::text[])
              ) AS counted GROUP BY list) AS open) AS open,
           (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM orders
            WHERE status IN ('pending', 'processing') ORDER BY id LIMIT 1) AS "oldestAge"`,
  values: [OPEN_STATUSES.map((status) => `orders:${status}`)],
};

interface Backlog {
  readonly open: Readonly<Record<string, number>>;
  /** Seconds. */
  readonly oldestAge: number | null;
}

/** Tells how many orders wait for their end, and for how long. */
@Injectable()
export class BacklogMetrics extends ObservedGauges {
  protected readonly gauges = [openOrders, oldestAge];

  constructor(@InjectDataSource(READS) private readonly reads: DataSource) {
    super();
  }

  protected async read(): Promise<void> {
    const [backlog] = await readPrepared<Backlog>(this.reads, BACKLOG);
    if (backlog === undefined) return;
    for (const status of OPEN_STATUSES) openOrders.set({ status }, backlog.open[status] ?? 0);
    oldestAge.set(Math.max(backlog.oldestAge ?? 0, 0));
  }
}
