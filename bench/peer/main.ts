/**
 * What the system is measured against in its own framework: a purchase as the documentation of NestJS and TypeORM has
 * it, one transaction an order; and requests that do nothing, for what the framework itself costs.
 */
import 'reflect-metadata';
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Module,
  NotFoundException,
  Post,
  ValidationPipe,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { SnakeNamingStrategy } from '../../src/database/snake-naming-strategy.js';
import { CreateOrderDto, requestedItemsOf } from '../../src/orders/dto/create-order.dto.js';
import { OrderResponse } from '../../src/orders/dto/order.response.js';
import { OrderItem } from '../../src/orders/order-item.entity.js';
import { Order } from '../../src/orders/order.entity.js';
import type { RequestedItem } from '../../src/stock/requested-item.js';
import { Product } from '../../src/products/product.entity.js';

@Controller('api/v1')
class TextbookController {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @Post('orders')
  async create(@Body() dto: CreateOrderDto): Promise<OrderResponse> {
    const requested = requestedItemsOf(dto).sort((a, b) => a.productId - b.productId);
    return OrderResponse.of(await this.dataSource.transaction((manager) => this.sell(manager, requested)));
  }

  @Post('empty')
  createNothing(@Body() dto: CreateOrderDto): { quantity: number } {
    return { quantity: dto.quantity ?? 1 };
  }

  @Get('empty')
  getNothing(): { status: string } {
    return { status: 'healthy' };
  }

  private async sell(manager: EntityManager, requested: RequestedItem[]): Promise<Order> {
    const items: OrderItem[] = [];
    for (const { productId, quantity } of requested) {
      const product = await manager.findOne(Product, { where: { id: productId }, lock: { mode: 'pessimistic_write' } });
      if (product === null) throw new NotFoundException(`Product with ID ${productId} not found`);
      if (product.stock < quantity) throw new BadRequestException(`Insufficient stock. Available: ${product.stock}`);
      product.stock -= quantity;
      await manager.save(product);
      items.push(manager.create(OrderItem, { productId, quantity, unitPrice: product.price }));
    }
    const totalPrice = items.reduce((sum, item) => sum + item.unitPrice * BigInt(item.quantity), 0n);
    const order = await manager.save(manager.create(Order, { totalPrice, status: 'pending' }));
    order.items = items.map((item) => Object.assign(item, { orderId: order.id }));
    await manager.insert(OrderItem, order.items);
    return order;
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      entities: [Product, Order, OrderItem],
      namingStrategy: new SnakeNamingStrategy(),
      parseInt8: true,
      installExtensions: false,
      poolSize: 20,
    }),
  ],
  controllers: [TextbookController],
})
class PeerModule {}

const app = await NestFactory.create<NestFastifyApplication>(PeerModule, new FastifyAdapter(), { logger: ['error'] });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
await app.listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => void app.close());
