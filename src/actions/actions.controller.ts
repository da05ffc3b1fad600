import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { BeforeQuery } from '../http/paging/before.query.js';
import { ApiUnavailableProblem, ApiValidationProblem } from '../http/problems/api-problem.decorator.js';
import { ValidQuery } from '../http/validation/validated.decorator.js';
import { newestOf } from '../kernel/page.js';
import { type Action, selectActions } from './action.js';
import { ActionListResponse, ActionResponse } from './dto/action.response.js';

const PATH = `${API_PREFIX}/actions`;

@ApiTags('Operations')
@Controller('actions')
export class ActionsController {
  constructor(@InjectDataSource(READS) private readonly reads: DataSource) {}

  @Get()
  @Access(['ops:read'], PATH)
  @ApiOperation({
    summary: 'List who changed what, newest first',
    description:
      'Products with what they were before and after, keys, what was done by the paths below `/ops`, restores, and refusals in samples. Stock and orders have histories of their own. Nobody can change or remove an action, the system included.',
  })
  @ApiOkResponse({ type: ActionListResponse })
  @ApiValidationProblem(PATH, 'page_size', 'page_size must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async listActions(@ValidQuery() { before, page_size: limit }: BeforeQuery): Promise<ActionListResponse> {
    const actions = await readPrepared<Action & object>(this.reads, selectActions({ before, limit: limit + 1 }));
    const { items, next } = newestOf(actions, limit);
    return { items: items.map((action) => ActionResponse.of(action)), next };
  }
}
