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
  readonly onRetry?: (() => void) | undefined;
}

/** Talks to the API as a good client does: what is answered 429 or 503, or not at all, it sends again in a while, for {@link PATIENCE_MS}. */
export class PatientClient {
  /**
   * @param api the base URL of the API, with its base path.
   * @param authorization the header by which it is let in.
   */
  constructor(
    private readonly api: string,
    private readonly authorization: string | undefined,
  ) {}

  /** The body of a 200. @throws at any other answer. */
  async get(path: string): Promise<unknown> {
    const { status, body } = await this.persistently(path, 'GET');
    if (status !== 200) throw new Error(`${path} was answered with status ${status}`);
    return body;
  }

  /** Told by `onRetry` of each time that it is sent again. */
  async post(path: string, body: object, onRetry?: () => void): Promise<Answer> {
    return this.persistently(path, 'POST', { text: JSON.stringify(body), key: randomUUID(), onRetry });
  }

  /** @throws when there is no answer in the end. */
  private async persistently(path: string, method: 'GET' | 'POST', content?: Content): Promise<Answer> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const isLast = performance.now() + ANSWER_TIMEOUT_MS > deadline;
      const answer = await this.exchange(path, method, content).catch((error: unknown) => {
        if (isLast) throw error;
      });
      if (answer !== undefined && (![429, 503].includes(answer.status) || isLast)) return answer;
      content?.onRetry?.();
      // Spread, or they would all come at once again.
      await delay((answer?.retryMs ?? RETRY_MS) * (1 + Math.random()));
    }
  }

  private async exchange(path: string, method: 'GET' | 'POST', content?: Content): Promise<Answer> {
    const response = await this.respond(path, method, content);
    const body: unknown = await json(response);
    const retryMs = Number(response.headers['retry-after'] ?? RETRY_MS / 1_000) * 1_000;
    return { status: response.statusCode ?? 0, body, retryMs };
  }

  /** By `node:http`, which costs this process less than `fetch`: of 500 requests at once the last ones would wait for the buyers and not for the shop. */
  private async respond(path: string, method: 'GET' | 'POST', content?: Content): Promise<IncomingMessage> {
    const options = {
      method,
      headers: { ...this.credentials(), ...headersOf(content) },
      agent: CONNECTIONS,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.api}${path}`, options, resolve);
      sent.once('error', reject);
      sent.end(content?.text);
    });
  }

  private credentials(): { Authorization?: string } {
    return this.authorization === undefined ? {} : { Authorization: this.authorization };
  }
}

function headersOf(content?: Content): Record<string, string | number> {
  if (content === undefined) return {};
  const { text, key } = content;
  return { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), 'Idempotency-Key': key };
}
