import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../../http/access/access.decorator.js';
import { API_PREFIX } from '../../http/api-prefix.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../../http/problems/api-problem.decorator.js';
import { ValidBody, ValidQuery } from '../../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED, resultOf } from '../../idempotency/idempotency-header.js';
import {
  DeadLetterPageResponse,
  filterOf,
  ListDeadLettersQuery,
  RedriveDto,
  RedriveResponse,
} from './dto/dead-letter.dto.js';
import { RedriveService } from './redrive.service.js';

const PATH = `${API_PREFIX}/ops/dead-letters`;

@ApiTags('Operations')
@Controller('ops/dead-letters')
export class DeadLettersController {
  constructor(private readonly redrives: RedriveService) {}

  @Get()
  @Access(['ops:read'], PATH)
  @ApiOperation({
    summary: 'List the dead letters, newest failure first',
    description:
      'Open orders that the system no longer tries by itself, because their workers died while they worked on them.',
  })
  @ApiOkResponse({ type: DeadLetterPageResponse })
  @ApiValidationProblem(PATH, 'page_size', 'page_size must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async listDeadLetters(@ValidQuery() query: ListDeadLettersQuery): Promise<DeadLetterPageResponse> {
    const { order_id: orderId } = query;
    const filter = filterOf({
      order_ids: orderId === undefined ? undefined : [orderId],
      failed_to: query.failed_to,
    });
    return DeadLetterPageResponse.of(await this.redrives.list(filter), query);
  }

  @Post('redrive')
  @Access(['ops:manage'], `${PATH}/redrive`)
  @HttpCode(200)
  @ApiOperation({
    summary: 'Try dead letters again',
    description:
      'Read the list first: when there are more or fewer than `expected_count`, nothing is done. With `failed_to` the set is the one that you have seen.',
  })
  @ApiOkResponse({ type: RedriveResponse, headers: REPLAYED })
  @ApiProblem('There are more or fewer, or the `Idempotency-Key` is in use', `${PATH}/redrive`, {
    status: 409,
    code: 'COUNT_CHANGED',
    detail: 'There are 4 dead letters, expected 3; nothing was done',
  })
  @ApiValidationProblem(`${PATH}/redrive`, 'expected_count', 'expected_count must be a whole number from 0 to 1000000')
  @ApiBodyProblems(`${PATH}/redrive`)
  @ApiUnavailableProblem(`${PATH}/redrive`)
  @ApiIdempotencyKey(`${PATH}/redrive`)
  async redriveDeadLetters(
    @ValidBody() { filter, expected_count: expectedCount }: RedriveDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RedriveResponse> {
    const request = idempotentRequestOf(reply.request);
    return { redriven: resultOf(reply, await this.redrives.redrive(filterOf(filter), expectedCount, request)) };
  }
}
