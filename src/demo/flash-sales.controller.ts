import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { API_PREFIX } from '../http/api-prefix.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiRequestTimeout,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { ValidBody } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf } from '../idempotency/idempotency-header.js';
import { FlashSaleListResponse, FlashSaleResponse, StartFlashSaleDto } from './dto/flash-sale.dto.js';
import { FlashSaleService } from './flash-sale.service.js';

const PATH = `${API_PREFIX}/ops/flash-sales`;

@ApiTags('Operations')
@Controller('ops/flash-sales')
export class FlashSalesController {
  constructor(private readonly sales: FlashSaleService) {}

  @Get()
  @ApiRequestTimeout(PATH)
  @ApiOperation({ summary: 'Read the last flash sale of this process, as far as it has come' })
  @ApiOkResponse({ type: FlashSaleListResponse })
  listFlashSales(): FlashSaleListResponse {
    const { last } = this.sales;
    return { items: last === undefined ? [] : [FlashSaleResponse.of(last)] };
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Hold a flash sale, to see one',
    description:
      '500 buyers want the last 100 of a new product at once, by real requests from another process. Only where `DEMO` is switched on, as it is under `npm start`.',
  })
  @ApiBody({ type: StartFlashSaleDto, required: false })
  @ApiAcceptedResponse({ type: FlashSaleResponse })
  @ApiProblem('Nobody has switched it on', PATH, {
    status: 403,
    code: 'FORBIDDEN',
    detail:
      'The flash sale sells real products: only "npm start" on its own database offers it, and DEMO=on switches it on elsewhere',
  })
  @ApiProblem('A sale is under way, or the `Idempotency-Key` is in use', PATH, {
    status: 409,
    code: 'FLASH_SALE_RUNNING',
    detail: 'A flash sale is under way; wait for its end',
  })
  @ApiValidationProblem(PATH, 'kill_worker', 'kill_worker must be true or false')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  @ApiIdempotencyKey(PATH)
  async startFlashSale(
    @ValidBody() { kill_worker: killsWorker = false }: StartFlashSaleDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FlashSaleResponse> {
    return FlashSaleResponse.of(await this.sales.start(killsWorker, idempotentRequestOf(reply.request)));
  }
}
