import type { FastifyRequest } from 'fastify';
import { LIMITS } from '../../config/limits.js';
import { OverloadedError } from '../../runtime/overloaded.error.js';
import { withNewRequest } from '../../runtime/request-context.js';
import { networkOf } from '../access/network.js';
import { FairQueue } from './fair-queue.js';

/** How long requests are begun in one turn of the event loop: while none had to wait, and while some do. */
const CALM_MS = 5;
const BUSY_MS = 0.5;

declare module 'fastify' {
  interface FastifyRequest {
    /** How long it waited to be begun. */
    waitedMs: number;
  }
}

interface WaitingRequest {
  readonly request: Pick<FastifyRequest, 'ip' | 'receivedAt' | 'waitedMs'>;
  readonly begin: (error?: Error) => void;
}

/**
 * Begins requests, and between them lets the event loop turn. Node.js handles all sockets that are ready before it looks at any of them
 * again: when thousands ask at once, each answer of PostgreSQL would wait until all of them had been served or refused, and a sale
 * takes several. So requests are begun for some milliseconds in each turn, and those that are left wait, each network in a lane of its
 * own. See docs/decisions/0029-overload.md.
 */
export class RequestQueue {
  private readonly waiting = new FairQueue<WaitingRequest>(LIMITS.requestsWaiting);
  /** Until when requests are begun in this turn; `undefined` while none was. */
  private turnEnds: number | undefined;

  /** Begins a request, now or when its turn comes; with OverloadedError when too many wait, or it has waited too long. */
  enter(request: WaitingRequest['request'], begin: WaitingRequest['begin']): void {
    if (this.waiting.length === 0 && this.mayBegin()) {
      begin();
      return;
    }
    const leaving = this.waiting.add(networkOf(request.ip), { request, begin });
    leaving?.begin(new OverloadedError());
  }

  private mayBegin(): boolean {
    const now = performance.now();
    if (this.turnEnds !== undefined) return now < this.turnEnds;
    this.turnEnds = now + (this.waiting.length > 0 ? BUSY_MS : CALM_MS);
    setImmediate(() => {
      this.turnEnds = undefined;
      this.beginWaiting();
    });
    return true;
  }

  private beginWaiting(): void {
    if (this.waiting.length === 0 || !this.mayBegin()) return;
    const next = this.waiting.next();
    if (next === undefined) return;
    const { request, begin } = next;
    request.waitedMs = performance.now() - request.receivedAt;
    if (request.waitedMs > LIMITS.beginMs) begin(new OverloadedError());
    else withNewRequest({ deadline: request.receivedAt + LIMITS.answerMs }, begin);
    // What the request does at once is done by then, and belongs to its time.
    process.nextTick(() => this.beginWaiting());
  }
}
