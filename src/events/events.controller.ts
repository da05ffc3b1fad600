import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiProblem, ApiUnavailableProblem, ApiValidationProblem } from '../http/problems/api-problem.decorator.js';
import { ApiEventStream } from '../http/server/event-stream.decorator.js';
import { sendEventStream, type SentEvent, wantsStream } from '../http/server/event-stream.js';
import { ValidQuery } from '../http/validation/validated.decorator.js';
import { OrderEventResponse } from '../orders/dto/order-event.response.js';
import { EventPageResponse } from './dto/event-page.response.js';
import { ListEventsQuery } from './dto/list-events.query.js';
import { cursorText, parseCursor } from './event-cursor.js';
import { EventLogService } from './event-log.service.js';
import { EventStreams, type PlacedEvent } from './event-streams.js';

const PATH = `${API_PREFIX}/events`;

@ApiTags('Events')
@Controller('events')
export class EventsController {
  constructor(
    private readonly log: EventLogService,
    private readonly streams: EventStreams,
  ) {}

  @Get()
  @Access(['events:read'], PATH)
  @ApiOperation({
    summary: 'List the events of all orders, or follow them live',
    description:
      'None is ever skipped: ask again with `next` as `after`, for ever. With `Accept: text/event-stream` the events come as they happen, each with its cursor as `id`; a client that comes back with `Last-Event-ID` goes on there.',
  })
  @ApiOkResponse({ type: EventPageResponse })
  @ApiEventStream()
  @ApiProblem('The cursor is from before a restore', PATH, {
    status: 410,
    code: 'CURSOR_EXPIRED',
    detail: 'The cursor is from before a restore; begin anew without one',
  })
  @ApiValidationProblem(PATH, 'limit', 'limit must be a whole number from 1 to 1000')
  @ApiUnavailableProblem(PATH)
  async listEvents(@ValidQuery() { after, limit }: ListEventsQuery, @Res() reply: FastifyReply): Promise<void> {
    const isStream = wantsStream(reply.request);
    const sent = isStream ? lastEventIdOf(reply) : undefined;
    const place = sent ?? after;
    const cursor = await this.log.begin(place === undefined ? undefined : parseCursor(place));
    if (isStream) {
      sendEventStream(reply, this.streams.followAll(cursor, reply.request.caller), toSentEvent);
      return;
    }
    const { events, last } = await this.log.page(cursor.id, limit);
    void reply.send({
      items: events.map((event) => OrderEventResponse.of(event)),
      next: cursorText({ log: cursor.log, id: last }),
    } satisfies EventPageResponse);
  }
}

function lastEventIdOf({ request: { headers } }: FastifyReply): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function toSentEvent({ event, cursor }: PlacedEvent): SentEvent {
  return { id: cursorText(cursor), event: event.type, data: OrderEventResponse.of(event) };
}
