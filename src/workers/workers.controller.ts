import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiRequestTimeout, ApiUnavailableProblem } from '../http/problems/api-problem.decorator.js';
import { WorkerListResponse } from './dto/worker.response.js';
import { type RegisteredWorker, selectWorkers } from './worker-rows.js';

@ApiTags('Operations')
@Controller('ops/workers')
export class WorkersController {
  constructor(@InjectDataSource(READS) private readonly dataSource: DataSource) {}

  @Get()
  @Access(['ops:read'], `${API_PREFIX}/ops/workers`)
  @ApiRequestTimeout(`${API_PREFIX}/ops/workers`)
  @ApiOperation({
    summary: 'List the workers',
    description:
      'A worker tells of itself every 5 s. One that has not been seen for 15 s is frozen, cut off or dead; its orders are taken over by others. A worker that stops in order is no longer listed; one that died is listed for a day.',
  })
  @ApiOkResponse({ type: WorkerListResponse })
  @ApiUnavailableProblem(`${API_PREFIX}/ops/workers`)
  async listWorkers(): Promise<WorkerListResponse> {
    return WorkerListResponse.of(await readPrepared<RegisteredWorker>(this.dataSource, selectWorkers()));
  }
}
