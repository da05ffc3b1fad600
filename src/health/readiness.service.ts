import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult, TypeOrmHealthIndicator } from '@nestjs/terminus';
import { ConnectionsHealthIndicator } from './connections.health-indicator.js';
import type { ReadinessResponse } from './dto/readiness.response.js';
import { RedisHealthIndicator } from './redis.health-indicator.js';
import { Stopping } from './stopping.js';

/** The longest that a readiness answer takes. */
const TIMEOUT_MS = 1_000;

/** Tells whether everything this process depends on answers, and it is not about to stop. */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly healthChecks: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly redis: RedisHealthIndicator,
    private readonly connections: ConnectionsHealthIndicator,
    private readonly stopping: Stopping,
  ) {}

  async check(): Promise<ReadinessResponse> {
    const { details } = await this.runChecks();
    const isUp = (name: string) => details[name]?.status === 'up';
    const checks = { database: isUp('database'), redis: isUp('cache') && isUp('queue') };
    const isReady = checks.database && checks.redis && !this.stopping.isUnderWay;
    return { status: isReady ? 'ready' : 'not_ready', checks, details };
  }

  private async runChecks(): Promise<HealthCheckResult> {
    try {
      return await this.healthChecks.check([
        () => this.database.pingCheck('database', { timeout: TIMEOUT_MS }),
        () => this.redis.pingCache(TIMEOUT_MS),
        () => this.redis.pingQueue(TIMEOUT_MS),
        () => this.connections.tell(),
      ]);
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- Terminus throws its result as the response
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }
}
