import { Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../../http/access/access.decorator.js';
import { API_PREFIX } from '../../http/api-prefix.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../../http/problems/api-problem.decorator.js';
import { ApiId, Id } from '../../http/validation/id.decorator.js';
import { ValidBody } from '../../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED, resultOf } from '../../idempotency/idempotency-header.js';
import { CancelOrderDto } from '../dto/cancel-order.dto.js';
import { OrderResponse } from '../dto/order.response.js';
import { OrderCancellationService } from '../cancellation/order-cancellation.service.js';

const PATH = `${API_PREFIX}/ops/orders/7/cancel`;

/** What operators do with orders. */
@ApiTags('Operations')
@Controller('ops/orders')
export class OrderOperationsController {
  constructor(private readonly cancellations: OrderCancellationService) {}

  @Post(':id/cancel')
  @Access(['ops:manage'], PATH)
  @ApiId()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel an order as an operator',
    description: 'As `POST /orders/{id}/cancel`, and recorded among the actions.',
  })
  @ApiOkResponse({ type: OrderResponse, headers: REPLAYED })
  @ApiProblem('There is no such order', PATH, {
    status: 404,
    code: 'ORDER_NOT_FOUND',
    detail: 'Order with ID 7 not found',
  })
  @ApiProblem('It is too late, or the `Idempotency-Key` is in use', PATH, {
    status: 409,
    code: 'ORDER_NOT_CANCELLABLE',
    detail: 'Order with ID 7 is completed and can no longer be cancelled',
  })
  @ApiValidationProblem(PATH, 'reason', 'reason must be a text of 1 to 255 characters, none of them NUL')
  @ApiBody({ type: CancelOrderDto, required: false })
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  @ApiIdempotencyKey(PATH)
  async cancelOrderAsOperator(
    @Id() id: number,
    @ValidBody() { reason }: CancelOrderDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse> {
    const cancelled = await this.cancellations.cancelAsAction(id, reason, idempotentRequestOf(reply.request));
    return OrderResponse.of(resultOf(reply, cancelled));
  }
}
