import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Config } from '../config/config.js';
import { FlashSaleService } from '../demo/flash-sale.service.js';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiRequestTimeout } from '../http/problems/api-problem.decorator.js';
import { NAME, VERSION } from '../kernel/version.js';
import { ConsoleResponse } from './dto/console.response.js';

@ApiTags('Operations')
@Controller('ops/console')
export class ConsoleController {
  constructor(
    private readonly config: Config,
    private readonly sales: FlashSaleService,
  ) {}

  @Get()
  @Access('caller', `${API_PREFIX}/ops/console`)
  @ApiRequestTimeout(`${API_PREFIX}/ops/console`)
  @ApiOperation({ summary: 'Read what the console may do for this caller, and what stands beside it' })
  @ApiOkResponse({ type: ConsoleResponse })
  getConsole(@Req() request: FastifyRequest): ConsoleResponse {
    const { dashboard } = this.config;
    const { actor, scopes } = request.caller;
    return {
      name: NAME,
      version: VERSION,
      actor,
      scopes: [...scopes],
      flash_sale: this.sales.isOfferedTo(request.caller),
      kill_worker: this.sales.canKillWorker,
      dashboard_url: dashboard.publicUrl ?? null,
      dashboard_port: dashboard.port,
    };
  }
}
