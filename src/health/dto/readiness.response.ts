import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { Readiness } from '../readiness.service.js';

@ApiSchema({ name: 'ReadinessChecks' })
class ReadinessChecksResponse {
  @ApiProperty()
  database: boolean;

  @ApiProperty({ description: 'Both roles of Redis: the cache and the queue' })
  redis: boolean;
}

@ApiSchema({ name: 'Readiness' })
export class ReadinessResponse implements Omit<Readiness, 'details'> {
  @ApiProperty({ enum: ['ready', 'degraded', 'not_ready'] })
  status: Readiness['status'];

  @ApiProperty()
  checks: ReadinessChecksResponse;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'object', additionalProperties: true },
    description: 'For whoever has `ops:read`: each check by its name, with its message when it is down',
    example: { database: { status: 'up' }, cache: { status: 'up' }, queue: { status: 'up' } },
  })
  details?: HealthIndicatorResult;
}
