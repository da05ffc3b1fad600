import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Log } from '../../runtime/log.js';
import type { Redis } from 'ioredis';
import { ConnectionWatch } from '../../runtime/connection-watch.js';
import { QueueConnection } from '../../queue/queue-connection.js';

const CHANNEL = 'order-system:cancelled-orders';
/** Nothing may be said for long; a connection that does not answer for so long is made anew. */
const SILENCE_MS = 5_000;

/**
 * Tells the workers at once that an order was cancelled. It is only a hint: a worker that hears it reads the order again,
 * and a worker that does not, because Redis is away, reads it by itself a moment later.
 */
@Injectable()
export class CancellationHints implements OnApplicationShutdown {
  private readonly logger = new Log(CancellationHints.name);
  private subscriber: Redis | undefined;

  private readonly watch = new ConnectionWatch(CancellationHints.name, {
    name: 'The connection that hears of cancelled orders',
    silenceMs: SILENCE_MS,
    current: () => (this.subscriber?.status === 'ready' ? this.subscriber.stream : undefined),
    ping: async () => this.subscriber?.ping(),
    renew: () => this.subscriber?.disconnect(true),
  });

  constructor(private readonly connection: QueueConnection) {}

  /** Returns at once and never throws. */
  publish(orderId: number): void {
    const { client } = this.connection;
    if (client.status !== 'ready') return;
    client
      .publish(CHANNEL, String(orderId))
      .catch((error: unknown) => this.logger.debug('A hint was not published', { order_id: orderId, error }));
  }

  /** Listens as long as the process lives, on a connection of its own, which Redis wants for that. */
  subscribe(listener: (orderId: number) => void): void {
    const subscriber = this.connection.client.duplicate();
    this.subscriber = subscriber;
    subscriber.on('error', (error) => this.logger.debug('The connection for hints broke', { error }));
    subscriber.on('ready', () => this.watch.report(true, 'is there again'));
    subscriber.on('message', (_channel, message) => listener(Number(message)));
    subscriber
      .subscribe(CHANNEL)
      .catch((error: unknown) => this.logger.debug('Hints cannot be subscribed to', { error }));
    this.watch.start();
  }

  onApplicationShutdown(): void {
    this.watch.stop();
    this.subscriber?.disconnect();
  }
}
