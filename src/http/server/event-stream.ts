import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { allowSlowReader } from './connections.js';

/** An event as `EventSource` of a browser reads it. */
export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

export const EVENT_STREAM = 'text/event-stream';

/** A comment, so that proxies and clients see that somebody is there. */
const HEARTBEAT = ': \n\n';
/** How soon a client comes back after its stream was ended by a stop: spread, so that not all come at once. */
const RETRY_MS = { min: 1_000, max: 10_000 };

/** How long a client may take for the last word when the process stops. */
const LAST_WORD_MS = 1_000;

/** Who has opened a stream. */
interface StreamOwner {
  /** Told when the client is gone or the stream has ended, once or more often. */
  readonly close: () => void;
  /** Aborted when the process stops. */
  readonly stopping: AbortSignal;
}

/** A client that asks for a stream, and not for JSON. */
export function wantsStream({ headers: { accept = '' } }: { headers: { accept?: string } }): boolean {
  return accept.includes(EVENT_STREAM);
}

/**
 * Answers with a stream of events (https://html.spec.whatwg.org/multipage/server-sent-events.html). What `batches` yields is sent when the client
 * has room for it, and no sooner asked for; an empty batch is a heartbeat. The stream ends when `batches` does.
 */
export function sendEventStream(
  reply: FastifyReply,
  batches: AsyncIterable<readonly SentEvent[] | 'stopping'>,
  { close, stopping }: StreamOwner,
): StreamableFile {
  allowSlowReader(reply.raw.socket ?? reply.request.socket);
  // A client that does not read would keep the process from stopping.
  const cutOff = () => setTimeout(() => reply.raw.destroy(), LAST_WORD_MS).unref();
  stopping.addEventListener('abort', cutOff, { once: true });
  // nginx would keep events back until it has a buffer full of them.
  reply.headers({ 'X-Accel-Buffering': 'no', 'Cache-Control': 'no-store', Connection: 'close' });
  const stream = Readable.from(textOf(batches), { objectMode: false });
  // Of the answer, for the stream itself closes only when `batches` has, which may sleep; of the stream, for the answer may have closed already.
  const leave = () => {
    stopping.removeEventListener('abort', cutOff);
    close();
  };
  reply.raw.once('close', leave);
  stream.once('close', leave);
  // A client that hangs up is no error.
  stream.on('error', () => undefined);
  return new StreamableFile(stream, { type: EVENT_STREAM });
}

async function* textOf(batches: AsyncIterable<readonly SentEvent[] | 'stopping'>): AsyncGenerator<string> {
  yield HEARTBEAT;
  for await (const batch of batches) {
    if (batch === 'stopping') {
      yield `retry: ${Math.round(RETRY_MS.min + Math.random() * (RETRY_MS.max - RETRY_MS.min))}\n\n`;
      return;
    }
    yield batch.length === 0 ? HEARTBEAT : batch.map(toText).join('');
  }
}

function toText({ id, event, data }: SentEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
