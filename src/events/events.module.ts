import { Global, Module } from '@nestjs/common';
import { OrderEventStreams } from '../orders/history/order-event-streams.js';
import { OrdersModule } from '../orders/orders.module.js';
import { EventFeed } from './event-feed.js';
import { EventLogService } from './event-log.service.js';
import { EventStreams } from './event-streams.js';
import { EventsController } from './events.controller.js';

/** Of the API: the log of events for clients, and as streams. Global, so that orders, on which it builds, find their streams. */
@Global()
@Module({
  imports: [OrdersModule],
  controllers: [EventsController],
  providers: [EventFeed, EventLogService, EventStreams, { provide: OrderEventStreams, useExisting: EventStreams }],
  exports: [OrderEventStreams],
})
export class EventsModule {}
