import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { createClient } from '@redis/client';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';

const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A connection that does not answer for as long is given up: its other end may be gone without a word. */
const SILENCE_MS = 2_000;

/**
 * The process's connection to the cache's Redis. While Redis is away each command fails at once (nothing queues up),
 * and the connection is tried again in the background for ever.
 */
@Injectable()
export class CacheConnection implements OnModuleInit, OnApplicationShutdown {
  readonly client;

  private readonly logger = new Logger(CacheConnection.name);
  private available = true;
  private watch: NodeJS.Timeout | undefined;

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
    this.client.on('error', (error: unknown) => this.report(false, `is away: ${String(error)}`));
    this.client.on('ready', () => this.report(true, 'is there again'));
  }

  /** Waits for Redis a moment, not until it comes: without it products are read from PostgreSQL. */
  async onModuleInit(): Promise<void> {
    const connected = this.client.connect();
    connected.catch(() => undefined);
    await withDeadline(connected, CONNECT_TIMEOUT_MS).catch(() => this.report(false, 'is not there at start'));
    this.watch = setInterval(() => void this.renewIfSilent(), SILENCE_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.watch);
    if (this.client.isOpen) this.client.destroy();
  }

  private async renewIfSilent(): Promise<void> {
    if (!this.client.isReady) return;
    const answer = this.client.ping().catch(() => undefined); // Any answer is one.
    await withDeadline(answer, SILENCE_MS).catch(() => this.renew());
  }

  /** What was asked on the old connection fails then, and drops that Redis has missed are caught up with on the new one. */
  private renew(): void {
    if (!this.client.isReady) return; // It is being renewed by itself.
    this.report(false, `has not answered for ${SILENCE_MS} ms`);
    this.client.destroy();
    this.client.connect().catch(() => undefined);
  }

  /** Logs a change, not each of the many errors while Redis is away. */
  private report(available: boolean, message: string): void {
    if (available === this.available) return;
    this.available = available;
    this.logger[available ? 'log' : 'warn'](`The cache's Redis ${message}`);
  }
}
