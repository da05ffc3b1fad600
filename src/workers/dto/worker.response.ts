import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { RegisteredWorker } from '../worker-rows.js';

@ApiSchema({ name: 'Worker' })
class WorkerResponse {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  started_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z', description: 'When it last told of itself' })
  seen_at: string;

  @ApiProperty({ example: '1.0.0' })
  version: string;

  @ApiProperty({ type: 'integer', example: 50, description: 'Orders that it works on at once, at most' })
  concurrency: number;

  @ApiProperty({ type: 'integer', example: 3, description: 'Orders that it worked on when it was last seen' })
  in_flight: number;
}

@ApiSchema({ name: 'WorkerList' })
export class WorkerListResponse {
  @ApiProperty({ type: [WorkerResponse] })
  items: WorkerResponse[];

  static of(workers: readonly RegisteredWorker[]): WorkerListResponse {
    return {
      items: workers.map(({ id, startedAt, seenAt, version, concurrency, inFlight }) => ({
        id,
        started_at: startedAt.toISOString(),
        seen_at: seenAt.toISOString(),
        version,
        concurrency,
        in_flight: inFlight,
      })),
    };
  }
}
