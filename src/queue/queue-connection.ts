import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Config } from '../config/config.js';

const MAX_RECONNECT_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** A connection that does not answer for as long is given up: its other end may be gone without a word. BullMQ waits up to 10 s for a job. */
const SILENCE_MS = 12_000;

/**
 * The process's connection to the queue's Redis. It connects in the background and reconnects for ever: a Redis that is
 * not there delays jobs and stops nothing. Workers need `maxRetriesPerRequest: null`.
 */
@Injectable()
export class QueueConnection implements OnApplicationShutdown {
  readonly client: Redis;

  private readonly logger = new Logger(QueueConnection.name);
  private available = true;

  constructor(config: Config) {
    this.client = new Redis(config.queue.url, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_MS,
      maxRetriesPerRequest: null,
      // After a failover the old primary refuses writes: connect anew, and send the command there.
      reconnectOnError: ({ message }) => (message.startsWith('READONLY') ? 2 : false),
      retryStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS),
    });
    this.client.on('error', (error) => this.report(false, `is away: ${error.message || String(error)}`));
    this.client.on('ready', () => this.report(true, 'is there again'));
  }

  /** The last thing to go: queues and workers have closed in the same phase or before. */
  onApplicationShutdown(): void {
    this.client.disconnect();
  }

  /** Logs a change, not each of the many errors while Redis is away. */
  private report(available: boolean, message: string): void {
    if (available === this.available) return;
    this.available = available;
    this.logger[available ? 'log' : 'warn'](`The queue's Redis ${message}`);
  }
}
