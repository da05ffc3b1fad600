import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { createClient } from '@redis/client';
import { ConnectionWatch } from '../runtime/connection-watch.js';
import { withDeadline } from '../runtime/deadline.js';
import { Config } from '../config/config.js';

const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
const SILENCE_MS = 2_000;

/**
 * The process's connection to the cache's Redis. While Redis is away each command fails at once (nothing queues up),
 * and the connection is tried again in the background for ever.
 */
@Injectable()
export class CacheConnection implements OnModuleInit, OnApplicationShutdown {
  readonly client;

  private readonly watch = new ConnectionWatch(CacheConnection.name, {
    name: "The cache's Redis",
    silenceMs: SILENCE_MS,
    current: () => (this.client.isReady ? this.client : undefined),
    ping: () => this.client.ping(),
    // What was asked on the old connection fails then, and drops that Redis has missed are caught up with on the new one.
    renew: () => {
      this.client.destroy();
      this.client.connect().catch(() => undefined);
    },
  });

  constructor({ cache }: Config) {
    this.client = createClient({
      url: cache.url,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        // Counts what is sent as well: of use while the connection is made, and nothing else is sent.
        socketTimeout: 2 * SILENCE_MS,
        reconnectStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS),
      },
    });
    this.client.on('error', (error: unknown) => this.watch.report(false, 'is away', error));
    this.client.on('ready', () => this.watch.report(true, 'is there again'));
  }

  /** Waits a moment for Redis and no longer: without Redis, products are read from PostgreSQL. */
  async onModuleInit(): Promise<void> {
    const connected = this.client.connect();
    connected.catch(() => undefined);
    await withDeadline(connected, CONNECT_TIMEOUT_MS).catch(() => this.watch.report(false, 'is not there at start'));
    this.watch.start();
  }

  onApplicationShutdown(): void {
    this.watch.stop();
    if (this.client.isOpen) this.client.destroy();
  }
}
