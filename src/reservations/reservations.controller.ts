import { Controller, Delete, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiId, Id } from '../http/validation/id.decorator.js';
import { JSON_TEXT, locationOf, sendText } from '../http/text-answer.js';
import { ValidBody } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED } from '../idempotency/idempotency-key.decorator.js';
import { CreateReservationDto } from './dto/create-reservation.dto.js';
import { ReservationResponse } from './dto/reservation.response.js';
import { PurchaseService } from '../orders/purchase/purchase.service.js';
import { ReservationService } from './reservation.service.js';

const PATH = `${API_PREFIX}/reservations`;
const NOT_FOUND = { status: 404, code: 'RESERVATION_NOT_FOUND', detail: 'Reservation with ID 3 not found' };

@ApiTags('Reservations')
@Controller('reservations')
export class ReservationsController {
  constructor(
    private readonly purchases: PurchaseService,
    private readonly reservations: ReservationService,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Hold stock for a checkout, all or none',
    description: 'Buy it with `POST /orders` and `reservation_id` before it expires; its stock goes back otherwise.',
  })
  @Header('Content-Type', JSON_TEXT)
  @ApiIdempotencyKey(PATH)
  @ApiCreatedResponse({
    type: ReservationResponse,
    headers: { Location: { schema: { type: 'string' }, description: 'Its path' }, ...REPLAYED },
  })
  @ApiProblem('There is not enough stock; nothing is held', PATH, {
    status: 400,
    code: 'INSUFFICIENT_STOCK',
    detail: 'Insufficient stock. Available: 0, Requested: 1',
  })
  @ApiProblem('There is no such product; nothing is held', PATH, {
    status: 404,
    code: 'PRODUCT_NOT_FOUND',
    detail: 'Product with ID 9999 not found',
  })
  @ApiValidationProblem(PATH, 'ttl_seconds', 'ttl_seconds must be a whole number from 1 to 3600')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  async create(
    @ValidBody() { items, ttl_seconds: seconds }: CreateReservationDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const requested = items.map((item) => ({ productId: item.product_id, quantity: item.quantity }));
    const hold = { items: requested, seconds, request: idempotentRequestOf(request) };
    const answer = await this.purchases.hold(hold, () => request.raw.socket.destroyed);
    reply.header('Location', locationOf(PATH, answer));
    return sendText(reply, answer);
  }

  @Get(':id')
  @ApiId()
  @ApiOperation({ summary: 'Read a reservation' })
  @ApiOkResponse({ type: ReservationResponse })
  @ApiProblem('There is no such reservation', `${PATH}/3`, NOT_FOUND)
  @ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number')
  @ApiUnavailableProblem(`${PATH}/3`)
  async get(@Id() id: number): Promise<ReservationResponse> {
    return ReservationResponse.of(await this.reservations.get(id));
  }

  @Delete(':id')
  @ApiId()
  @HttpCode(204)
  @ApiOperation({ summary: 'Let the stock of a reservation go, once however often it is asked for' })
  @ApiNoContentResponse({ description: 'Its stock has gone back, or does so at once when its time is up' })
  @ApiProblem('There is no such reservation', `${PATH}/3`, NOT_FOUND)
  @ApiProblem('It has become an order; cancel that', `${PATH}/3`, {
    status: 409,
    code: 'RESERVATION_CONFIRMED',
    detail: 'Reservation with ID 3 has become order 7',
  })
  @ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number')
  @ApiUnavailableProblem(`${PATH}/3`)
  async release(@Id() id: number): Promise<void> {
    await this.reservations.release(id);
  }
}
