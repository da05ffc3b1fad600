import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiRequestTimeout, ApiUnavailableProblem } from '../http/problems/api-problem.decorator.js';
import { AuditService } from './audit.service.js';
import { AuditResponse } from './dto/audit.response.js';

@ApiTags('Health')
@Controller('health/audit')
export class AuditController {
  constructor(private readonly audits: AuditService) {}

  @Get()
  @Access(['ops:read'], `${API_PREFIX}/health/audit`)
  @ApiRequestTimeout(`${API_PREFIX}/health/audit`)
  @ApiOperation({
    summary: 'Read the findings of the last audit of stock, ledger and orders',
    description: 'It runs every night, and with `npm run audit`.',
  })
  @ApiOkResponse({ type: AuditResponse })
  @ApiUnavailableProblem(`${API_PREFIX}/health/audit`)
  async getAudit(): Promise<AuditResponse> {
    return AuditResponse.of(await this.audits.last());
  }
}
