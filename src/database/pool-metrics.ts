import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { gauge } from '../telemetry/metrics.js';
import { ObservedGauges } from '../telemetry/observed-gauges.js';
import { BoundedPool } from './bounded-pool.js';
import { READS } from './data-source-options.js';

const POOLS = ['sales', 'reads'] as const;

const connections = gauge({
  name: 'db_client_connection_count',
  unit: 'connections',
  help: 'Connections to PostgreSQL, of the pool for everything that changes something (sales) and of that for reads.',
  labels: { db_client_connection_pool_name: POOLS, state: ['idle', 'used'] },
});

const max = gauge({
  name: 'db_client_connection_max',
  unit: 'connections',
  help: 'Connections to PostgreSQL that a pool may have at most.',
  labels: { db_client_connection_pool_name: POOLS },
});

const pending = gauge({
  name: 'db_client_connection_pending_requests',
  unit: 'requests',
  help: 'Requests that wait for a connection to PostgreSQL.',
  labels: { db_client_connection_pool_name: POOLS },
});

/** Tells how the connections to PostgreSQL are used. */
@Injectable()
export class PoolMetrics extends ObservedGauges {
  protected readonly gauges = [connections, max, pending];

  constructor(
    private readonly sales: DataSource,
    @InjectDataSource(READS) private readonly reads: DataSource,
  ) {
    super();
  }

  protected read(): void {
    for (const name of POOLS) tell(name, this[name]);
  }
}

function tell(name: (typeof POOLS)[number], { driver }: DataSource): void {
  const pool: unknown = driver instanceof PostgresDriver ? driver.master : undefined;
  if (!(pool instanceof BoundedPool)) return;
  const of = { db_client_connection_pool_name: name };
  connections.set({ ...of, state: 'idle' }, pool.idleCount);
  connections.set({ ...of, state: 'used' }, pool.totalCount - pool.idleCount);
  max.set(of, pool.options.max);
  pending.set(of, pool.waitingCount);
}
