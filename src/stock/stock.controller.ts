import { Controller, Get, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblem, ApiUnavailableProblem, ApiValidationProblem } from '../http/problems/api-problem.decorator.js';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import type { Problem } from '../http/problems/problem-details.js';
import { ApiId, Id } from '../http/validation/id.decorator.js';
import { linkToNext } from '../http/paging/link.js';
import { ValidBody, ValidQuery } from '../http/validation/validated.decorator.js';
import { idempotentRequestOf, REPLAYED, resultOf } from '../idempotency/idempotency-header.js';
import { ApiAdjustmentProblems } from './dto/adjustment-problems.decorator.js';
import { ListMovementsQuery } from './dto/list-movements.query.js';
import { StockAdjustmentDto } from './dto/stock-adjustment.dto.js';
import { StockMovementResponse, StockMovementsResponse } from './dto/stock-movement.response.js';
import { StockService } from './stock.service.js';

const MOVEMENTS = `${API_PREFIX}/products/1/stock-movements`;
const ADJUSTMENTS = `${API_PREFIX}/products/1/stock-adjustments`;
const NOT_FOUND: Problem = { status: 404, code: 'PRODUCT_NOT_FOUND', detail: 'Product with ID 9999 not found' };

@ApiTags('Stock')
@Controller('products/:id')
export class StockController {
  constructor(private readonly stock: StockService) {}

  @Get('stock-movements')
  @Access(['orders:read', 'stock:write'], `${API_PREFIX}/products/1/stock-movements`)
  @ApiId()
  @ApiOperation({ summary: 'List the stock movements of a product, newest first' })
  @ApiOkResponse({
    type: StockMovementsResponse,
    headers: { Link: { schema: { type: 'string' }, description: 'The next page, `rel="next"`' } },
  })
  @ApiProblem('There is no such product', MOVEMENTS, NOT_FOUND)
  @ApiValidationProblem(MOVEMENTS, 'page_size', 'page_size must be a whole number from 1 to 100')
  @ApiUnavailableProblem(MOVEMENTS)
  async listStockMovements(
    @Id() id: number,
    @ValidQuery() query: ListMovementsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockMovementsResponse> {
    const { items, next } = await this.stock.movements(id, { before: query.before, pageSize: query.page_size });
    if (next !== null) {
      reply.header('Link', linkToNext(`${API_PREFIX}/products/${id}/stock-movements`, query, next));
    }
    return { items: items.map((movement) => StockMovementResponse.of(movement)), next };
  }

  @Post('stock-adjustments')
  @Access(['stock:write'], `${API_PREFIX}/products/1/stock-adjustments`)
  @ApiId()
  @ApiOperation({ summary: 'Add units to a stock, or take some away, with a reason' })
  @ApiCreatedResponse({ type: StockMovementResponse, headers: REPLAYED })
  @ApiAdjustmentProblems(ADJUSTMENTS)
  async adjustStock(
    @Id() id: number,
    @ValidBody() { delta, reason, expected_stock: expectedStock }: StockAdjustmentDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockMovementResponse> {
    const adjusted = await this.stock.adjust(id, { delta, reason, expectedStock }, idempotentRequestOf(reply.request));
    return StockMovementResponse.of(resultOf(reply, adjusted));
  }
}
