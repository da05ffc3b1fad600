import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiUnavailableProblem, ApiValidationProblem } from '../http/problems/api-problem.decorator.js';
import { ValidQuery } from '../http/validation/validated.decorator.js';
import { ListStatisticsQuery, rangeOf } from './dto/list-statistics.query.js';
import { StatisticsResponse } from './dto/statistics.response.js';
import { StatisticsService } from './statistics.service.js';

const PATH = `${API_PREFIX}/ops/stats`;

@ApiTags('Operations')
@Controller('ops/stats')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get()
  @Access(['ops:read'], PATH)
  @ApiOperation({
    summary: 'Read what the shop did, step by step',
    description:
      'Counts of all processes together, each a few seconds old at most. A step in which no process recorded anything is left out. The history goes back 30 days.',
  })
  @ApiOkResponse({ type: StatisticsResponse })
  @ApiValidationProblem(PATH, 'step', 'step must be a whole number from 60 to 86400')
  @ApiUnavailableProblem(PATH)
  async listStatistics(@ValidQuery() query: ListStatisticsQuery): Promise<StatisticsResponse> {
    const range = rangeOf(query, new Date());
    return StatisticsResponse.of(range, await this.statistics.steps(range));
  }
}
