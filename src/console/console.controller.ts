import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Config } from '../config/config.js';
import { FlashSaleService } from '../demo/flash-sale.service.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiRequestTimeout } from '../http/problems/api-problem.decorator.js';
import { isLocal } from '../http/server/local-only.guard.js';
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
  @ApiRequestTimeout(`${API_PREFIX}/ops/console`)
  @ApiOperation({ summary: 'Read what the console may do for this caller, and what stands beside it' })
  @ApiOkResponse({ type: ConsoleResponse })
  getConsole(@Req() request: FastifyRequest): ConsoleResponse {
    const { dashboard } = this.config;
    const mayAct = isLocal(request, this.config);
    return {
      name: NAME,
      version: VERSION,
      may_act: mayAct,
      flash_sale: this.sales.isOffered(mayAct),
      kill_worker: this.sales.canKillWorker,
      dashboard_url: dashboard.publicUrl ?? null,
      dashboard_port: dashboard.port,
    };
  }
}
