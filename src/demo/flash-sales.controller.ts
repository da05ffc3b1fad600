import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiRequestTimeout,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { ValidBody } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED, resultOf } from '../idempotency/idempotency-header.js';
import {
  FlashSaleListResponse,
  FlashSaleResponse,
  FlashSaleStartResponse,
  StartFlashSaleDto,
} from './dto/flash-sale.dto.js';
import { FlashSaleService, NOT_ON } from './flash-sale.service.js';

const PATH = `${API_PREFIX}/ops/flash-sales`;

@ApiTags('Operations')
@Controller('ops/flash-sales')
export class FlashSalesController {
  constructor(private readonly sales: FlashSaleService) {}

  @Get()
  @Access(['ops:read'], PATH)
  @ApiRequestTimeout(PATH)
  @ApiOperation({ summary: 'Read the last flash sale of this process, as far as it has come' })
  @ApiOkResponse({ type: FlashSaleListResponse })
  listFlashSales(): FlashSaleListResponse {
    const { last } = this.sales;
    return { items: last === undefined ? [] : [FlashSaleResponse.of(last)] };
  }

  @ApiProblem('It is not offered here', PATH, { status: 403, code: 'FORBIDDEN', detail: NOT_ON })
  @Post()
  @Access(['ops:manage'], PATH)
  @HttpCode(202)
  @ApiOperation({
    summary: 'Hold a flash sale, to see one',
    description:
      '500 buyers want the last 100 of a new product at once, by real requests from another process. `npm start` offers it on its own database; elsewhere only `DEMO=on` does.',
  })
  @ApiBody({ type: StartFlashSaleDto, required: false })
  @ApiAcceptedResponse({ type: FlashSaleStartResponse, headers: REPLAYED })
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
  ): Promise<FlashSaleStartResponse> {
    const { caller, headers } = reply.request;
    const start = { killsWorker, caller, authorization: headers.authorization };
    resultOf(reply, await this.sales.start(start, idempotentRequestOf(reply.request)));
    return { status: 'started' };
  }
}
