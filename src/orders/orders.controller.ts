import { Controller, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { API_PREFIX } from '../http/api-prefix.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { ApiId, Id } from '../http/validation/id.decorator.js';
import { linkToNext } from '../http/paging/page.js';
import { AnswersText, JSON_TEXT, locationOf, sendText, type TextAnswer } from '../http/text-answer.js';
import { ValidBody, ValidQuery } from '../http/validation/validated.decorator.js';
import {
  ApiIdempotencyKey,
  IdempotencyKey,
  idempotentRequestOf,
  REPLAYED,
} from '../idempotency/idempotency-key.decorator.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import { CancelOrderDto } from './dto/cancel-order.dto.js';
import { CreateOrderDto } from './dto/create-order.dto.js';
import { ListOrdersQuery } from './dto/list-orders.query.js';
import { OrderEventResponse, OrderEventsResponse } from './dto/order-event.response.js';
import { OrderStatusResponse } from './dto/order-status.response.js';
import { OrderPageResponse, OrderResponse } from './dto/order.response.js';
import { OrderLifeService } from './order-cancellation.service.js';
import { OrderReaderService } from './order-reader.service.js';
import { PurchaseService } from './purchase/purchase.service.js';

const PATH = `${API_PREFIX}/orders`;
const NEXT_PAGE = {
  Link: {
    schema: { type: 'string' as const },
    description: 'The next page, `rel="next"`, at the same cost however deep',
  },
};
const NOT_FOUND = { status: 404, code: 'ORDER_NOT_FOUND', detail: 'Order with ID 7 not found' };
const PRODUCT_NOT_FOUND = { status: 404, code: 'PRODUCT_NOT_FOUND', detail: 'Product with ID 9999 not found' };
const INSUFFICIENT_STOCK = {
  status: 400,
  code: 'INSUFFICIENT_STOCK',
  detail: 'Insufficient stock. Available: 0, Requested: 1',
};
const NOT_CANCELLABLE = {
  status: 409,
  code: 'ORDER_NOT_CANCELLABLE',
  detail: 'Order with ID 7 is completed and can no longer be cancelled',
};
const RESERVATION_EXPIRED = {
  status: 409,
  code: 'RESERVATION_EXPIRED',
  detail: 'Reservation with ID 3 is expired',
};
const ApiInvalidId = () => ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number');

@ApiTags('Orders')
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly purchases: PurchaseService,
    private readonly orders: OrderReaderService,
    private readonly life: OrderLifeService,
  ) {}

  @Post()
  @Header('Content-Type', JSON_TEXT)
  @ApiOperation({
    summary: 'Buy one product or several, all or none',
    description:
      'The stock is taken and the order is on disk when this answers 201. A worker processes the order after that.',
  })
  @ApiBody({
    type: CreateOrderDto,
    examples: {
      one: { summary: 'One product', value: { product_id: 1, quantity: 2 } },
      several: { summary: 'Several products', value: { items: [{ product_id: 1, quantity: 2 }, { product_id: 2 }] } },
      reserved: { summary: 'What is held for a checkout', value: { reservation_id: 3 } },
    },
  })
  @ApiCreatedResponse({
    type: OrderResponse,
    headers: { Location: { schema: { type: 'string' }, description: 'Its path' }, ...REPLAYED },
  })
  @ApiProblem('There is not enough stock; nothing was bought', PATH, INSUFFICIENT_STOCK)
  @ApiProblem('There is no such product, or reservation; nothing was bought', PATH, PRODUCT_NOT_FOUND)
  @ApiProblem('The reservation holds nothing any more, or the `Idempotency-Key` is in use', PATH, RESERVATION_EXPIRED)
  @ApiValidationProblem(PATH, 'quantity', 'quantity must be a whole number from 1 to 1000000')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  @ApiIdempotencyKey(PATH)
  async create(
    @ValidBody() dto: CreateOrderDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const asked = { dto, request: idempotentRequestOf(request) };
    const answer = await this.purchases.buy(asked, () => request.raw.socket.destroyed);
    reply.header('Location', locationOf(PATH, answer));
    return sendText(reply, answer);
  }

  @Get()
  @ApiOperation({ summary: 'List orders, newest first' })
  @ApiOkResponse({ type: OrderPageResponse, headers: NEXT_PAGE })
  @ApiValidationProblem(PATH, 'page_size', 'page_size must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async list(
    @ValidQuery() query: ListOrdersQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderPageResponse> {
    const { page, next } = await this.orders.list(query);
    if (next !== undefined) reply.header('Link', linkToNext(PATH, query, next));
    return { ...page, items: page.items.map((order) => OrderResponse.of(order)) };
  }

  @Get(':id')
  @ApiId()
  @ApiOperation({ summary: 'Read an order' })
  @ApiOkResponse({ type: OrderResponse })
  @ApiProblem('There is no such order', `${PATH}/7`, NOT_FOUND)
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/7`)
  async get(@Id() id: number): Promise<OrderResponse> {
    return OrderResponse.of(await this.orders.get(id));
  }

  @Get(':id/status')
  @ApiId()
  @ApiOperation({ summary: 'Read how far an order is' })
  @ApiOkResponse({ type: OrderStatusResponse })
  @ApiProblem('There is no such order', `${PATH}/7/status`, NOT_FOUND)
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/7/status`)
  async getStatus(@Id() id: number): Promise<OrderStatusResponse> {
    return OrderStatusResponse.of(await this.orders.getStatus(id));
  }

  @Get(':id/events')
  @ApiId()
  @ApiOperation({ summary: 'Read what an order went through, when and why' })
  @ApiOkResponse({ type: OrderEventsResponse })
  @ApiProblem('There is no such order', `${PATH}/7/events`, NOT_FOUND)
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/7/events`)
  async getEvents(@Id() id: number): Promise<OrderEventsResponse> {
    const events = await this.life.events(id);
    return { items: events.map((event) => OrderEventResponse.of(event)) };
  }

  @Post(':id/cancel')
  @ApiId()
  @HttpCode(200)
  @AnswersText()
  @ApiOperation({
    summary: 'Cancel an order that is pending or processing; its stock goes back',
    description: 'An order that is cancelled already is answered as it is.',
  })
  @ApiOkResponse({ type: OrderResponse, headers: REPLAYED })
  @ApiProblem('There is no such order', `${PATH}/7/cancel`, NOT_FOUND)
  @ApiProblem('It is too late, or the `Idempotency-Key` is in use', `${PATH}/7/cancel`, NOT_CANCELLABLE)
  @ApiValidationProblem(`${PATH}/7/cancel`, 'reason', 'reason must be a text of 1 to 255 characters, none of them NUL')
  @ApiBodyProblems(`${PATH}/7/cancel`)
  @ApiUnavailableProblem(`${PATH}/7/cancel`)
  @ApiIdempotencyKey(`${PATH}/7/cancel`)
  async cancel(
    @Id() id: number,
    @ValidBody() { reason }: CancelOrderDto,
    @IdempotencyKey() request: IdempotentRequest | undefined,
  ): Promise<TextAnswer> {
    return this.life.cancel(id, reason, request);
  }
}
