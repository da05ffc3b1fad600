import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../http/access/access.decorator.js';
import { LIST_WEIGHT } from '../http/access/route-access.js';
import { type Caller, customerOf } from '../kernel/access/caller.js';
import type { OwnedId } from '../kernel/access/owner.js';
import { API_PREFIX } from '../http/api-prefix.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import type { Problem } from '../http/problems/problem-details.js';
import { ApiId, Own } from '../http/validation/id.decorator.js';
import { linkToNext, NEXT_PAGE } from '../http/paging/link.js';
import { pageRequestOf } from '../http/paging/page.query.js';
import { toPage } from '../http/paging/page.response.js';
import { LOCATION, sendLocation } from '../http/response.js';
import { ValidBody, ValidQuery } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED, resultOf } from '../idempotency/idempotency-header.js';
import type { Performed } from '../idempotency/idempotent-request.js';
import { CancelOrderDto } from './dto/cancel-order.dto.js';
import { ApiOrderBody, CreateOrderDto, requestedItemsOf } from './dto/create-order.dto.js';
import { ListOrdersQuery } from './dto/list-orders.query.js';
import { OrderEventResponse, OrderEventsResponse } from './dto/order-event.response.js';
import { OrderStatusResponse } from './dto/order-status.response.js';
import { OrderPageResponse, OrderResponse } from './dto/order.response.js';
import { ApiEventStream } from '../http/server/event-stream.decorator.js';
import { sendEventStream, type SentEvent, wantsStream } from '../http/server/event-stream.js';
import { OrderCancellationService } from './cancellation/order-cancellation.service.js';
import { OrderEventStreams } from './history/order-event-streams.js';
import type { OrderEvent } from './history/order-event.js';
import { OrderReaderService } from './order-reader.service.js';
import type { Order } from './order.entity.js';
import { PurchaseService } from './purchase/purchase.service.js';
import { ReservationConfirmationService } from './purchase/reservation-confirmation.service.js';

const PATH = `${API_PREFIX}/orders`;
const NOT_FOUND: Problem = { status: 404, code: 'ORDER_NOT_FOUND', detail: 'Order with ID 7 not found' };
const PRODUCT_NOT_FOUND: Problem = { status: 404, code: 'PRODUCT_NOT_FOUND', detail: 'Product with ID 9999 not found' };
const INSUFFICIENT_STOCK: Problem = {
  status: 400,
  code: 'INSUFFICIENT_STOCK',
  detail: 'Insufficient stock. Available: 0, Requested: 1',
};
const NOT_CANCELLABLE: Problem = {
  status: 409,
  code: 'ORDER_NOT_CANCELLABLE',
  detail: 'Order with ID 7 is completed and can no longer be cancelled',
};
const RESERVATION_EXPIRED: Problem = {
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
    private readonly confirmations: ReservationConfirmationService,
    private readonly orders: OrderReaderService,
    private readonly cancellations: OrderCancellationService,
    private readonly streams: OrderEventStreams,
  ) {}

  @Post()
  @Access({ scopes: ['orders:create'], customers: true }, PATH)
  @ApiOperation({
    summary: 'Buy one product or several: all items or none',
    description:
      'The stock is taken and the order is on disk when this answers 201. A worker processes the order after that.',
  })
  @ApiOrderBody()
  @ApiCreatedResponse({
    type: OrderResponse,
    headers: { ...LOCATION, ...REPLAYED },
  })
  @ApiProblem('There is not enough stock; nothing was bought', PATH, INSUFFICIENT_STOCK)
  @ApiProblem('There is no such product, or reservation; nothing was bought', PATH, PRODUCT_NOT_FOUND)
  @ApiProblem(
    'The reservation holds nothing any more, the customer has as many as one may have (`CUSTOMER_LIMIT`, with `limit` and `bought`), or the `Idempotency-Key` is in use',
    PATH,
    RESERVATION_EXPIRED,
  )
  @ApiValidationProblem(PATH, 'quantity', 'quantity must be a whole number from 1 to 1000000')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  @ApiIdempotencyKey(PATH)
  async createOrder(
    @ValidBody() dto: CreateOrderDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse> {
    const order = resultOf(reply, await this.buy(dto, reply.request));
    sendLocation(reply, PATH, order);
    return OrderResponse.of(order);
  }

  @Get()
  @Access({ scopes: ['orders:read'], customers: true, weight: LIST_WEIGHT }, PATH)
  @ApiOperation({ summary: 'List orders, newest first' })
  @ApiOkResponse({ type: OrderPageResponse, headers: NEXT_PAGE })
  @ApiValidationProblem(PATH, 'page_size', 'page_size must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async listOrders(
    @ValidQuery() query: ListOrdersQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderPageResponse> {
    const request = pageRequestOf(query);
    const { status, customer_ref: customerRef, request_id: requestId } = query;
    const { customerRef: owner } = reply.request.caller;
    const listing = await this.orders.list(request, { owner, status, customerRef, requestId });
    if (listing.next !== undefined) reply.header('Link', linkToNext(PATH, query, listing.next));
    return toPage(listing, request, (order) => OrderResponse.of(order));
  }

  @Get(':id')
  @Access({ scopes: ['orders:read'], customers: true }, `${PATH}/7`)
  @ApiId()
  @ApiOperation({ summary: 'Read an order' })
  @ApiOkResponse({ type: OrderResponse })
  @ApiProblem('There is no such order', `${PATH}/7`, NOT_FOUND)
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/7`)
  async getOrder(@Own() order: OwnedId): Promise<OrderResponse> {
    return OrderResponse.of(await this.orders.get(order));
  }

  @Get(':id/status')
  @Access({ scopes: ['orders:read'], customers: true }, `${PATH}/7/status`)
  @ApiId()
  @ApiOperation({ summary: 'Read the status of an order' })
  @ApiOkResponse({ type: OrderStatusResponse })
  @ApiProblem('There is no such order', `${PATH}/7/status`, NOT_FOUND)
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/7/status`)
  async getOrderStatus(@Own() order: OwnedId): Promise<OrderStatusResponse> {
    return OrderStatusResponse.of(await this.orders.getStatus(order));
  }

  @Get(':id/events')
  @Access({ scopes: ['orders:read'], customers: true }, `${PATH}/7/events`)
  @ApiId()
  @ApiOperation({
    summary: 'List the events of an order, or follow it live',
    description:
      'With `Accept: text/event-stream` the events come as they happen, each with its `sequence` as `id`, and the stream ends with the order; a client that comes back with `Last-Event-ID` goes on there.',
  })
  @ApiEventStream()
  @ApiOkResponse({ type: OrderEventsResponse })
  @ApiProblem('There is no such order', `${PATH}/7/events`, NOT_FOUND)
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/7/events`)
  async listOrderEvents(@Own() order: OwnedId, @Res() reply: FastifyReply): Promise<void> {
    if (wantsStream(reply.request)) {
      const followed = await this.streams.follow(order, lastSequenceOf(reply.request), reply.request.caller);
      sendEventStream(reply, followed, (event) => toSentEvent(event, reply.request.caller));
      return;
    }
    const events = await this.orders.events(order);
    const items = events.map((event) => OrderEventResponse.of(event, reply.request.caller));
    void reply.send({ items } satisfies OrderEventsResponse);
  }

  @Post(':id/cancel')
  @Access({ scopes: ['orders:create', 'orders:manage'], customers: true }, `${PATH}/7/cancel`)
  @ApiId()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel an order that is pending or processing, and release its stock',
    description: 'An order that is cancelled already is answered as it is.',
  })
  @ApiOkResponse({ type: OrderResponse, headers: REPLAYED })
  @ApiProblem('There is no such order', `${PATH}/7/cancel`, NOT_FOUND)
  @ApiProblem('It is too late, or the `Idempotency-Key` is in use', `${PATH}/7/cancel`, NOT_CANCELLABLE)
  @ApiValidationProblem(`${PATH}/7/cancel`, 'reason', 'reason must be a text of 1 to 255 characters, none of them NUL')
  @ApiBody({ type: CancelOrderDto, required: false })
  @ApiBodyProblems(`${PATH}/7/cancel`)
  @ApiUnavailableProblem(`${PATH}/7/cancel`)
  @ApiIdempotencyKey(`${PATH}/7/cancel`)
  async cancelOrder(
    @Own() order: OwnedId,
    @ValidBody() { reason }: CancelOrderDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse> {
    const cancelled = await this.cancellations.cancel(order, reason, idempotentRequestOf(reply.request));
    return OrderResponse.of(resultOf(reply, cancelled));
  }

  private async buy(dto: CreateOrderDto, request: FastifyRequest): Promise<Performed<Order>> {
    const idempotent = idempotentRequestOf(request);
    const { caller } = request;
    const customerRef = customerOf(caller, dto.customer_ref);
    if (dto.reservation_id !== undefined) {
      const reservation = { id: dto.reservation_id, owner: caller.customerRef, customerRef };
      return this.confirmations.confirm(reservation, idempotent);
    }
    const purchase = { items: requestedItemsOf(dto), customerRef, request: idempotent };
    return this.purchases.buy(purchase, () => request.raw.socket.destroyed);
  }
}

/** Where a client goes on that has followed the order before; anything else than a number is the beginning. */
function lastSequenceOf({ headers }: FastifyRequest): number {
  const id = Number(headers['last-event-id'] ?? 0);
  return Number.isSafeInteger(id) ? id : 0;
}

function toSentEvent(event: OrderEvent, caller: Caller): SentEvent {
  return { id: String(event.sequence), event: event.type, data: OrderEventResponse.of(event, caller) };
}
