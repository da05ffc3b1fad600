import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { LIMITS } from '../../config/limits.js';
import { Access } from '../../http/access/access.decorator.js';
import { API_PREFIX } from '../../http/api-prefix.js';
import { ApiProblem, ApiRequestTimeout } from '../../http/problems/api-problem.decorator.js';
import { QueueListResponse } from './dto/queue.response.js';
import { OrderQueues } from './order-queues.js';

const PATH = `${API_PREFIX}/ops/queues`;

@ApiTags('Operations')
@Controller('ops/queues')
export class QueuesController {
  constructor(private readonly queues: OrderQueues) {}

  @Get()
  @Access(['ops:read'], PATH)
  @ApiRequestTimeout(PATH)
  @ApiOperation({ summary: 'List the queues of orders, with the jobs in each state' })
  @ApiOkResponse({ type: QueueListResponse })
  @ApiProblem('Redis does not answer', PATH, {
    status: 503,
    code: 'QUEUE_UNAVAILABLE',
    detail: 'The queue is not available; try again',
  })
  async listQueues(): Promise<QueueListResponse> {
    return QueueListResponse.of(await this.queues.depths(LIMITS.answerMs / 2));
  }
}
