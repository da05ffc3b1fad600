import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CacheModule } from '../cache/cache.module.js';
import { QueueModule } from '../queue/queue.module.js';
import { ConnectionsHealthIndicator } from './connections.health-indicator.js';
import { DatabaseHealthIndicator } from './database.health-indicator.js';
import { ReadinessService } from './readiness.service.js';
import { RedisHealthIndicator } from './redis.health-indicator.js';
import { Stopping } from './stopping.js';

/** The readiness check, for the API's endpoint and the worker's heartbeat. */
@Module({
  imports: [TerminusModule.forRoot({ logger: false }), CacheModule, QueueModule],
  providers: [ReadinessService, DatabaseHealthIndicator, RedisHealthIndicator, ConnectionsHealthIndicator, Stopping],
  exports: [ReadinessService, CacheModule],
})
export class ReadinessModule {}
