import { Controller, Delete, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { customerOf } from '../kernel/access/caller.js';
import type { OwnedId } from '../kernel/access/owner.js';
import type { Problem } from '../http/problems/problem-details.js';
import { ApiId, Own } from '../http/validation/id.decorator.js';
import { LOCATION, sendLocation } from '../http/response.js';
import { ValidBody } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED, resultOf } from '../idempotency/idempotency-header.js';
import { toRequestedItem } from '../stock/dto/requested-item.dto.js';
import { CreateReservationDto } from './dto/create-reservation.dto.js';
import { ReservationResponse } from './dto/reservation.response.js';
import { ReservationService } from './reservation.service.js';

const PATH = `${API_PREFIX}/reservations`;
const NOT_FOUND: Problem = { status: 404, code: 'RESERVATION_NOT_FOUND', detail: 'Reservation with ID 3 not found' };
const INSUFFICIENT_STOCK: Problem = {
  status: 400,
  code: 'INSUFFICIENT_STOCK',
  detail: 'Insufficient stock. Available: 0, Requested: 1',
};
const PRODUCT_NOT_FOUND: Problem = { status: 404, code: 'PRODUCT_NOT_FOUND', detail: 'Product with ID 9999 not found' };
const CUSTOMER_LIMIT: Problem = {
  status: 409,
  code: 'CUSTOMER_LIMIT',
  detail: 'Of product 1 a customer may have 2, and this one has 2',
};

@ApiTags('Reservations')
@Controller('reservations')
export class ReservationsController {
  constructor(private readonly reservations: ReservationService) {}

  @Post()
  @Access({ scopes: ['reservations:write'], customers: true }, PATH)
  @ApiOperation({
    summary: 'Hold stock for a checkout: all items or none',
    description: 'Buy it with `POST /orders` and `reservation_id` before it expires; its stock goes back otherwise.',
  })
  @ApiProblem('The customer has as many as one may have, or the `Idempotency-Key` is in use', PATH, CUSTOMER_LIMIT)
  @ApiIdempotencyKey(PATH)
  @ApiCreatedResponse({
    type: ReservationResponse,
    headers: { ...LOCATION, ...REPLAYED },
  })
  @ApiProblem('There is not enough stock; nothing is held', PATH, INSUFFICIENT_STOCK)
  @ApiProblem('There is no such product; nothing is held', PATH, PRODUCT_NOT_FOUND)
  @ApiValidationProblem(PATH, 'ttl_seconds', 'ttl_seconds must be a whole number from 1 to 3600')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  async createReservation(
    @ValidBody() { items, ttl_seconds: seconds, customer_ref: named }: CreateReservationDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReservationResponse> {
    const hold = {
      items: items.map(toRequestedItem),
      seconds,
      customerRef: customerOf(reply.request.caller, named),
      request: idempotentRequestOf(reply.request),
    };
    const held = await this.reservations.hold(hold, () => reply.request.raw.socket.destroyed);
    const reservation = resultOf(reply, held);
    sendLocation(reply, PATH, reservation);
    return ReservationResponse.of(reservation);
  }

  @Get(':id')
  @Access({ scopes: ['reservations:write', 'orders:read'], customers: true }, `${PATH}/3`)
  @ApiId()
  @ApiOperation({ summary: 'Read a reservation' })
  @ApiOkResponse({ type: ReservationResponse })
  @ApiProblem('There is no such reservation', `${PATH}/3`, NOT_FOUND)
  @ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number')
  @ApiUnavailableProblem(`${PATH}/3`)
  async getReservation(@Own() reservation: OwnedId): Promise<ReservationResponse> {
    return ReservationResponse.of(await this.reservations.get(reservation));
  }

  @Delete(':id')
  @Access({ scopes: ['reservations:write'], customers: true }, `${PATH}/3`)
  @ApiId()
  @HttpCode(204)
  @ApiOperation({ summary: 'Release a reservation (idempotent)' })
  @ApiNoContentResponse({ description: 'Its stock is released' })
  @ApiProblem('There is no such reservation', `${PATH}/3`, NOT_FOUND)
  @ApiProblem('It has become an order; cancel that', `${PATH}/3`, {
    status: 409,
    code: 'RESERVATION_CONFIRMED',
    detail: 'Reservation with ID 3 has become order 7',
  })
  @ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number')
  @ApiUnavailableProblem(`${PATH}/3`)
  async releaseReservation(@Own() reservation: OwnedId): Promise<void> {
    await this.reservations.release(reservation);
  }
}
