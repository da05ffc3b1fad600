import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { BoundedPool } from '../database/bounded-pool.js';

/** Tells how the connections to PostgreSQL are used: of `total`, so many are `idle`, and so many requests wait for one. */
@Injectable()
export class ConnectionsHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly dataSource: DataSource,
  ) {}

  tell(): HealthIndicatorResult<'connections'> {
    const { driver } = this.dataSource;
    const pool: unknown = driver instanceof PostgresDriver ? driver.master : undefined;
    const indicator = this.indicators.check('connections');
    if (!(pool instanceof BoundedPool)) return indicator.up();
    return indicator.up({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount });
  }
}
