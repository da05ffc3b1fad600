import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ConnectionWatch } from '../runtime/connection-watch.js';
import { Config } from '../config/config.js';

const MAX_RECONNECT_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Not sooner, for what was asked is asked again then, and a Redis that was only slow has done it already. */
const SILENCE_MS = 5_000;
/** How long the end of a connection that is given up is waited for. */
const DISCONNECT_TIMEOUT_MS = 500;

/**
 * The process's connection to the queue's Redis. It connects in the background and reconnects for ever: a Redis that is
 * not there delays jobs and stops nothing. Workers need `maxRetriesPerRequest: null`; BullMQ itself watches the connections on
 * which they wait for a job.
 */
@Injectable()
export class QueueConnection implements OnModuleInit, OnApplicationShutdown {
  readonly client: Redis;

  private readonly watch = new ConnectionWatch(QueueConnection.name, {
    name: "The queue's Redis",
    silenceMs: SILENCE_MS,
    current: () => (['connect', 'ready'].includes(this.client.status) ? this.client.stream : undefined),
    ping: () => this.client.ping(),
    // What was asked on the old connection is asked again on the new one.
    renew: () => this.client.disconnect(true),
  });

  constructor(config: Config) {
    this.client = new Redis(config.queue.url, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: null,
      // After a failover the old primary refuses writes: connect anew, and send the command there.
      reconnectOnError: ({ message }) => (message.startsWith('READONLY') ? 2 : false),
      retryStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS),
    });
    this.client.on('error', (error) => this.watch.report(false, 'is away', error));
    this.client.on('ready', () => this.watch.report(true, 'is there again'));
  }

  onModuleInit(): void {
    this.watch.start();
  }

  /** Closes last: queues and workers close in the same phase of the shutdown or before. */
  onApplicationShutdown(): void {
    this.watch.stop();
    this.client.disconnect();
  }
}
