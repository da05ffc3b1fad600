import { randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { BUYERS } from './flash-sale.js';

/** Each buyer keeps one. */
const CONNECTIONS = new Agent({ keepAlive: true, maxSockets: BUYERS, maxFreeSockets: BUYERS });
/** Of one request; what has no answer by then is asked again. */
const ANSWER_TIMEOUT_MS = 6_000;
/** So long a buyer tries: a 503 has changed nothing, and a purchase that is sent again with its key is made once. */
const PATIENCE_MS = 30_000;
/** Before a request is sent again, when the answer names no time. */
const RETRY_MS = 1_000;

/** The body of a 200. @throws at any other answer. */
export async function read(url: string): Promise<unknown> {
  const { status, body } = await persistently(url, 'GET');
  if (status !== 200) throw new Error(`${url} was answered with status ${status}`);
  return body;
}

/** Told by `onRetry` of each time that it is sent again. */
export async function send(url: string, body: object, onRetry?: () => void): Promise<Answer> {
  return persistently(url, 'POST', { text: JSON.stringify(body), key: randomUUID(), onRetry });
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** As the answer says in `Retry-After`. */
  readonly retryMs: number;
}

interface Content {
  readonly text: string;
  /** `Idempotency-Key` */
  readonly key: string;
  readonly onRetry?: () => void;
}

/** As a good client does: a 503, or no answer, is asked again in a while, for {@link PATIENCE_MS}. @throws when there is none by then. */
async function persistently(url: string, method: 'GET' | 'POST', content?: Content): Promise<Answer> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const isLast = performance.now() + ANSWER_TIMEOUT_MS > deadline;
    const answer = await exchange(url, method, content).catch((error: unknown) => {
      if (isLast) throw error;
    });
    if (answer !== undefined && (answer.status !== 503 || isLast)) return answer;
    content?.onRetry?.();
    // Spread, or they would all come at once again.
    await delay((answer?.retryMs ?? RETRY_MS) * (1 + Math.random()));
  }
}

async function exchange(url: string, method: 'GET' | 'POST', content?: Content): Promise<Answer> {
  const response = await respond(url, method, content);
  const body: unknown = await json(response);
  const retryMs = Number(response.headers['retry-after'] ?? RETRY_MS / 1_000) * 1_000;
  return { status: response.statusCode ?? 0, body, retryMs };
}

/** By `node:http`, which costs this process less than `fetch`: of 500 requests at once the last ones would wait for the buyers and not for the shop. */
async function respond(url: string, method: 'GET' | 'POST', content?: Content): Promise<IncomingMessage> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: headersOf(content), agent: CONNECTIONS, signal }, resolve);
    sent.once('error', reject);
    sent.end(content?.text);
  });
}

function headersOf(content?: Content): Record<string, string | number> {
  if (content === undefined) return {};
  const { text, key } = content;
  return { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), 'Idempotency-Key': key };
}
