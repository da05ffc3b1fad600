import { Body, Controller, Get, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { API_PREFIX } from '../common/api-prefix.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../common/api-problem.decorator.js';
import { ApiId, Id } from '../common/id.decorator.js';
import { linkToNext } from '../common/page.js';
import { CreateOrderDto, requestedItemsOf } from './dto/create-order.dto.js';
import { ListOrdersQuery } from './dto/list-orders.query.js';
import { OrderStatusResponse } from './dto/order-status.response.js';
import { OrderPageResponse, OrderResponse } from './dto/order.response.js';
import { OrderReaderService } from './order-reader.service.js';
import { OrderService } from './order.service.js';

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
const ApiInvalidId = () => ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number');

@ApiTags('Orders')
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly sales: OrderService,
    private readonly orders: OrderReaderService,
  ) {}

  @Post()
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
    },
  })
  @ApiCreatedResponse({
    type: OrderResponse,
    headers: { Location: { schema: { type: 'string' }, description: 'Its path' } },
  })
  @ApiProblem('There is not enough stock; nothing was bought', PATH, INSUFFICIENT_STOCK)
  @ApiProblem('There is no such product; nothing was bought', PATH, PRODUCT_NOT_FOUND)
  @ApiValidationProblem(PATH, 'quantity', 'quantity must be a whole number from 1 to 1000000')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  async create(
    @Body() dto: CreateOrderDto,
    @Req() { raw }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse> {
    const order = await this.sales.create(requestedItemsOf(dto), () => raw.socket.destroyed);
    reply.header('Location', `${PATH}/${order.id}`);
    return OrderResponse.of(order);
  }

  @Get()
  @ApiOperation({ summary: 'List orders, newest first' })
  @ApiOkResponse({ type: OrderPageResponse, headers: NEXT_PAGE })
  @ApiValidationProblem(PATH, 'page_size', 'page_size must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async list(
    @Query() query: ListOrdersQuery,
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
}
