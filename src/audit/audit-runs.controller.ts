import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiUnavailableProblem, ApiValidationProblem } from '../http/problems/api-problem.decorator.js';
import { ValidQuery } from '../http/validation/validated.decorator.js';
import { AuditService } from './audit.service.js';
import { AuditListResponse, AuditResponse } from './dto/audit.response.js';
import { ListAuditRunsQuery } from './dto/list-audit-runs.query.js';

const PATH = `${API_PREFIX}/ops/audit-runs`;

@ApiTags('Operations')
@Controller('ops/audit-runs')
export class AuditRunsController {
  constructor(private readonly audits: AuditService) {}

  @Get()
  @ApiOperation({ summary: 'List the last audits, newest first', description: 'The last 400 are kept.' })
  @ApiOkResponse({ type: AuditListResponse })
  @ApiValidationProblem(PATH, 'limit', 'limit must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async listAuditRuns(@ValidQuery() { limit }: ListAuditRunsQuery): Promise<AuditListResponse> {
    return { items: (await this.audits.list(limit)).map((run) => AuditResponse.of(run)) };
  }
}
