import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { Log } from '../../runtime/log.js';
import type { Followed } from '../../runtime/followed.js';
import { allowSlowReader, expectReader } from '../connections/connections.js';

/** An event as `EventSource` of a browser reads it. */
export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

const EVENT_STREAM = 'text/event-stream';

/** A comment, so that proxies and clients see that somebody is there. */
const HEARTBEAT = ': \n\n';
/** How soon a client comes back after its stream was ended by a stop: spread, so that not all come at once. */
const RETRY_MS = { min: 1_000, max: 10_000 };

const log = new Log('EventStream');

/** How long a client may take for the last word when the process stops. */
const LAST_WORD_MS = 1_000;

/** A client that asks for a stream, and not for JSON. */
export function wantsStream({ headers: { accept = '' } }: { headers: { accept?: string } }): boolean {
  return accept.includes(EVENT_STREAM);
}

/**
 * Answers with a stream of events (https://html.spec.whatwg.org/multipage/server-sent-events.html). It writes past Fastify, whose pipes
 * would double the memory of an idle stream. More is asked for only when the client has room for it; an empty batch is sent as a heartbeat.
 */
export function sendEventStream<T>(
  reply: FastifyReply,
  followed: Followed<T>,
  toSentEvent: (item: T) => SentEvent,
): void {
  const { raw: response, request } = reply;
  const { caller } = request;
  // A client that hangs up is no error.
  response.on('error', () => undefined).once('close', () => followed.close());
  response.on('drain', () => followed.resume());
  response.writeHead(200, headersOf(reply));
  reply.hijack();
  // Of a client that has gone already no `close` comes any more.
  if (request.method === 'HEAD' || response.destroyed) {
    response.end();
    followed.close();
    return;
  }
  allowSlowReader(response);
  const chunks = new Chunks(response);
  chunks.write(HEARTBEAT);
  followed.begin({
    send: (news) => {
      try {
        // A key may be revoked while its stream goes on.
        if (caller.isValid()) return chunks.write(news.map((item) => toText(toSentEvent(item))).join('') || HEARTBEAT);
      } catch (error) {
        log.error('Events could not be sent, and their stream ends', { error });
      }
      followed.close();
      chunks.end();
      return false;
    },
    end: (why) => {
      if (why === 'stopping') {
        chunks.write(goodbye());
        // A client that does not read would keep the process from stopping.
        setTimeout(() => response.destroy(), LAST_WORD_MS).unref();
      }
      chunks.end();
    },
  });
}

/** With those that hooks have set. */
function headersOf(reply: FastifyReply): OutgoingHttpHeaders {
  const headers = {
    ...reply.getHeaders(),
    'content-type': EVENT_STREAM,
    // nginx would buffer events until its buffer is full.
    'x-accel-buffering': 'no',
    connection: 'close',
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/**
 * The body of a response. A client of HTTP/1.1 gets it in chunks (RFC 9112, 7.1), so that it can tell a stream that has ended from one
 * that was cut off. Node.js would write each chunk in four parts, which costs twice as much.
 */
class Chunks {
  private readonly isChunked: boolean;

  constructor(private readonly response: ServerResponse) {
    this.isChunked = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /** @returns whether there is room for more. */
  write(text: string): boolean {
    const { response } = this;
    const chunk = this.isChunked ? `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n` : text;
    const hasRoom = response.write(chunk);
    expectReader(response);
    return hasRoom;
  }

  end(): void {
    this.response.end(this.isChunked ? '0\r\n\r\n' : '');
  }
}

function goodbye(): string {
  return `retry: ${Math.round(RETRY_MS.min + Math.random() * (RETRY_MS.max - RETRY_MS.min))}\n\n`;
}

function toText({ id, event, data }: SentEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
