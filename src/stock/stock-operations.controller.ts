import { Controller, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiId, Id } from '../http/validation/id.decorator.js';
import { ValidBody } from '../http/validation/validated.decorator.js';
import { idempotentRequestOf, REPLAYED, resultOf } from '../idempotency/idempotency-header.js';
import { ApiAdjustmentProblems } from './dto/adjustment-problems.decorator.js';
import { StockAdjustmentDto } from './dto/stock-adjustment.dto.js';
import { StockMovementResponse } from './dto/stock-movement.response.js';
import { StockService } from './stock.service.js';

const PATH = `${API_PREFIX}/ops/products/1/stock-adjustments`;

/** What operators do with stock. */
@ApiTags('Operations')
@Controller('ops/products')
export class StockOperationsController {
  constructor(private readonly stock: StockService) {}

  @Post(':id/stock-adjustments')
  @Access(['ops:manage'], PATH)
  @ApiId()
  @ApiOperation({
    summary: 'Add units to a stock, or take some away, as an operator',
    description: 'As `POST /products/{id}/stock-adjustments`, and recorded among the actions.',
  })
  @ApiCreatedResponse({ type: StockMovementResponse, headers: REPLAYED })
  @ApiAdjustmentProblems(PATH)
  async adjustStockAsOperator(
    @Id() id: number,
    @ValidBody() { delta, reason, expected_stock: expectedStock }: StockAdjustmentDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockMovementResponse> {
    const adjustment = { delta, reason, expectedStock, isAction: true };
    const adjusted = await this.stock.adjust(id, adjustment, idempotentRequestOf(reply.request));
    return StockMovementResponse.of(resultOf(reply, adjusted));
  }
}
