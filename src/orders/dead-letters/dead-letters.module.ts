import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { QueueModule } from '../../queue/queue.module.js';
import { OrderItem } from '../order-item.entity.js';
import { Order } from '../order.entity.js';
import { DeadLettersService } from './dead-letters.service.js';
import { ORDERS_QUEUE } from '../processing/order-jobs.js';

/** The dead letters, for the processes and commands that show them. */
@Module({
  imports: [TypeOrmModule.forFeature([Order, OrderItem]), QueueModule.forFeature(ORDERS_QUEUE)],
  providers: [DeadLettersService],
  exports: [DeadLettersService],
})
export class DeadLettersModule {}
