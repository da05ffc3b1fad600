import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import {
  ApiBodyProblems,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { ValidQuery } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED, resultOf } from '../idempotency/idempotency-header.js';
import { AuditRequestService } from './audit-request.service.js';
import { AuditService } from './audit.service.js';
import { AuditListResponse, AuditRequestResponse, AuditResponse } from './dto/audit.response.js';
import { ListAuditRunsQuery } from './dto/list-audit-runs.query.js';

const PATH = `${API_PREFIX}/ops/audit-runs`;

@ApiTags('Operations')
@Controller('ops/audit-runs')
export class AuditRunsController {
  constructor(
    private readonly audits: AuditService,
    private readonly requests: AuditRequestService,
  ) {}

  @Get()
  @Access(['ops:read'], PATH)
  @ApiOperation({ summary: 'List the last audits, newest first', description: 'The last 400 are kept.' })
  @ApiOkResponse({ type: AuditListResponse })
  @ApiValidationProblem(PATH, 'limit', 'limit must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async listAuditRuns(@ValidQuery() { limit }: ListAuditRunsQuery): Promise<AuditListResponse> {
    return { items: (await this.audits.list(limit)).map((run) => AuditResponse.of(run)) };
  }

  @Post()
  @Access(['ops:manage'], PATH)
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask a worker to audit now',
    description:
      'The run is in the list when it has ended. While one that was asked for has not, there is no second one.',
  })
  @ApiAcceptedResponse({ type: AuditRequestResponse, headers: REPLAYED })
  @ApiValidationProblem(PATH, 'Idempotency-Key', 'Idempotency-Key must be sent once')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  @ApiIdempotencyKey(PATH)
  async requestAudit(@Res({ passthrough: true }) reply: FastifyReply): Promise<AuditRequestResponse> {
    resultOf(reply, await this.requests.request(idempotentRequestOf(reply.request)));
    return { status: 'requested' };
  }
}
