import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiProblem, ApiRequestTimeout } from '../http/problems/api-problem.decorator.js';
import { CacheStatisticsService } from './cache-statistics.service.js';
import { CacheStatisticsResponse } from './dto/cache-statistics.response.js';
import { LivenessResponse } from './dto/liveness.response.js';
import { ReadinessResponse } from './dto/readiness.response.js';
import { ReadinessService } from './readiness.service.js';

@ApiTags('Health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly readiness: ReadinessService,
    private readonly statistics: CacheStatisticsService,
  ) {}

  @Get()
  @Access('public')
  @ApiRequestTimeout(`${API_PREFIX}/health`)
  @ApiOperation({ summary: 'Check that the process is alive' })
  @ApiOkResponse({ type: LivenessResponse })
  getLiveness(): LivenessResponse {
    return { status: 'healthy' };
  }

  @Get('ready')
  @Access('public')
  @ApiRequestTimeout(`${API_PREFIX}/health/ready`)
  @ApiOperation({
    summary: 'Check whether this process can sell',
    description:
      'It is `degraded`, and still sells, while a Redis does not answer. It is `not_ready` while PostgreSQL does not answer, only reads or has not all migrations of this build, and when the process is about to stop.',
  })
  @ApiOkResponse({ type: ReadinessResponse })
  @ApiServiceUnavailableResponse({ type: ReadinessResponse, description: 'It cannot sell' })
  async getReadiness(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessResponse> {
    const { status, checks, details } = await this.readiness.check();
    if (status === 'not_ready') reply.code(503).header('Retry-After', 1);
    const { scopes, customerRef } = reply.request.caller;
    return scopes.has('ops:read') && customerRef === null ? { status, checks, details } : { status, checks };
  }

  @Get('cache/stats')
  @Access('public')
  @ApiRequestTimeout(`${API_PREFIX}/health/cache/stats`)
  @ApiOperation({ summary: 'Read the statistics of the cache' })
  @ApiOkResponse({ type: CacheStatisticsResponse })
  @ApiProblem('Redis does not answer', `${API_PREFIX}/health/cache/stats`, {
    status: 503,
    code: 'CACHE_UNAVAILABLE',
    detail: "The cache's Redis is not available; products are read from the database",
  })
  async getCacheStatistics(): Promise<CacheStatisticsResponse> {
    return CacheStatisticsResponse.of(await this.statistics.read());
  }
}
