import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis } from 'ioredis';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';

const MAX_RECONNECT_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/**
 * A connection that does not answer for as long is given up: its other end may be gone without a word. Not sooner, for what was
 * asked is asked again then, and a Redis that was only slow has done it already.
 */
const SILENCE_MS = 5_000;
/** How long its end is waited for then. */
const DISCONNECT_TIMEOUT_MS = 500;

/**
 * The process's connection to the queue's Redis. It connects in the background and reconnects for ever: a Redis that is
 * not there delays jobs and stops nothing. Workers need `maxRetriesPerRequest: null`; BullMQ itself watches the connections on
 * which they wait for a job.
 */
@Injectable()
export class QueueConnection implements OnModuleInit, OnApplicationShutdown {
  readonly client: Redis;

  private readonly logger = new Logger(QueueConnection.name);
  private available = true;
  private watch: NodeJS.Timeout | undefined;

  constructor(config: Config) {
    this.client = new Redis(config.queue.url, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: null,
      // After a failover the old primary refuses writes: connect anew, and send the command there.
      reconnectOnError: ({ message }) => (message.startsWith('READONLY') ? 2 : false),
      retryStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS),
    });
    this.client.on('error', (error) => this.report(false, `is away: ${error.message || String(error)}`));
    this.client.on('ready', () => this.report(true, 'is there again'));
  }

  onModuleInit(): void {
    this.watch = setInterval(() => void this.renewIfSilent(), SILENCE_MS);
  }

  /** The last thing to go: queues and workers have closed in the same phase or before. */
  onApplicationShutdown(): void {
    clearInterval(this.watch);
    this.client.disconnect();
  }

  /** What was asked on the old connection is asked again on the new one. */
  private async renewIfSilent(): Promise<void> {
    // Without a connection it is being made anew already; a ping would only wait for that.
    if (!['connect', 'ready'].includes(this.client.status)) return;
    const { stream } = this.client;
    const answer = this.client.ping().catch(() => undefined); // Any answer is one.
    await withDeadline(answer, SILENCE_MS).catch(() => {
      if (this.client.stream !== stream) return; // It has been made anew meanwhile.
      this.report(false, `has not answered for ${SILENCE_MS} ms`);
      this.client.disconnect(true);
    });
  }

  /** Logs a change, not each of the many errors while Redis is away. */
  private report(available: boolean, message: string): void {
    if (available === this.available) return;
    this.available = available;
    this.logger[available ? 'log' : 'warn'](`The queue's Redis ${message}`);
  }
}
