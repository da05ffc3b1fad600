import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { createClient } from '@redis/client';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';

const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 1_000;

/**
 * The process's connection to the cache's Redis. While Redis is away each command fails at once (nothing queues up),
 * and the connection is tried again in the background for ever.
 */
@Injectable()
export class CacheConnection implements OnModuleInit, OnApplicationShutdown {
  readonly client;

  private readonly logger = new Logger(CacheConnection.name);
  private available = true;

  constructor({ cache }: Config) {
    this.client = createClient({
      url: cache.url,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS),
      },
    });
    this.client.on('error', (error: unknown) => this.report(false, `is away: ${String(error)}`));
    this.client.on('ready', () => this.report(true, 'is there again'));
  }

  /** Waits for Redis a moment, not until it comes: without it products are read from PostgreSQL. */
  async onModuleInit(): Promise<void> {
    const connected = this.client.connect();
    connected.catch(() => undefined);
    await withDeadline(connected, CONNECT_TIMEOUT_MS).catch(() => this.report(false, 'is not there at start'));
  }

  onApplicationShutdown(): void {
    if (this.client.isOpen) this.client.destroy();
  }

  /** Logs a change, not each of the many errors while Redis is away. */
  private report(available: boolean, message: string): void {
    if (available === this.available) return;
    this.available = available;
    this.logger[available ? 'log' : 'warn'](`The cache's Redis ${message}`);
  }
}
