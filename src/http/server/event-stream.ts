import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../kernel/access/caller.js';
import type { Followed } from '../../runtime/followed.js';
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

/** A client that asks for a stream, and not for JSON. */
export function wantsStream({ headers: { accept = '' } }: { headers: { accept?: string } }): boolean {
  return accept.includes(EVENT_STREAM);
}

/**
 * Answers with a stream of events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The next batch is asked for only when the
 * client has room for it; an empty batch is sent as a heartbeat. The stream ends when the batches do.
 */
export function sendEventStream<T>(
  reply: FastifyReply,
  { batches, close, onStopping }: Followed<T>,
  toSentEvent: (item: T) => SentEvent,
): StreamableFile {
  allowSlowReader(reply.raw);
  // A client that does not read would keep the process from stopping.
  onStopping(() => setTimeout(() => reply.raw.destroy(), LAST_WORD_MS).unref());
  // nginx would buffer events until its buffer is full.
  reply.headers({ 'X-Accel-Buffering': 'no', 'Cache-Control': 'no-store', Connection: 'close' });
  const stream = Readable.from(textOf(batches, toSentEvent, reply.request.caller), { objectMode: false });
  // Both are needed: the stream closes only when `batches` ends, which may be asleep, and the response may have closed before it has a listener.
  reply.raw.once('close', close);
  stream.once('close', close);
  // A client that hangs up is no error.
  stream.on('error', () => undefined);
  return new StreamableFile(stream, { type: EVENT_STREAM });
}

async function* textOf<T>(
  batches: Followed<T>['batches'],
  toSentEvent: (item: T) => SentEvent,
  caller: Caller,
): AsyncGenerator<string> {
  yield HEARTBEAT;
  for await (const batch of batches) {
    // A key may be revoked while its stream goes on.
    if (!caller.isValid()) return;
    if (batch === 'stopping') {
      yield `retry: ${Math.round(RETRY_MS.min + Math.random() * (RETRY_MS.max - RETRY_MS.min))}\n\n`;
      return;
    }
    yield batch.length === 0 ? HEARTBEAT : batch.map((item) => toText(toSentEvent(item))).join('');
  }
}

function toText({ id, event, data }: SentEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
