import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, type HealthIndicatorResult } from '@nestjs/terminus';
import { LIMITS } from '../config/limits.js';
import { shared } from '../runtime/shared.js';
import { ConnectionsHealthIndicator } from './connections.health-indicator.js';
import { DatabaseHealthIndicator } from './database.health-indicator.js';
import { RedisHealthIndicator } from './redis.health-indicator.js';
import { Stopping } from './stopping.js';

export interface Readiness {
  /** `degraded` still sells. */
  readonly status: 'ready' | 'degraded' | 'not_ready';
  readonly checks: { readonly database: boolean; readonly redis: boolean };
  /** Each check by its name. */
  readonly details: HealthIndicatorResult;
}

/** Tells whether this process can sell: PostgreSQL is needed for that, and Redis is not. */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly healthChecks: HealthCheckService,
    private readonly database: DatabaseHealthIndicator,
    private readonly redis: RedisHealthIndicator,
    private readonly connections: ConnectionsHealthIndicator,
    private readonly stopping: Stopping,
  ) {}

  async check(): Promise<Readiness> {
    const { details } = await this.checks();
    const isUp = (name: string) => details[name]?.status === 'up';
    const checks = { database: isUp('database'), redis: isUp('cache') && isUp('queue') };
    return { status: this.statusOf(checks), checks, details };
  }

  /** Anybody may ask, and many who do must not take the connections of sales. */
  private readonly checks = shared(() => this.runChecks());

  private statusOf({ database, redis }: Readiness['checks']): Readiness['status'] {
    if (!database || this.stopping.isUnderWay) return 'not_ready';
    return redis ? 'ready' : 'degraded';
  }

  private async runChecks(): Promise<HealthCheckResult> {
    const { readinessMs } = LIMITS;
    try {
      return await this.healthChecks.check([
        () => this.database.check(readinessMs),
        () => this.redis.pingCache(readinessMs),
        () => this.redis.pingQueue(readinessMs),
        () => this.connections.tell(),
      ]);
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- Terminus throws its result as the response
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }
}
