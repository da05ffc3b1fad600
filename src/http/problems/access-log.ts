import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logging } from '../../config/logging.js';
import { Log, type LogFields } from '../../runtime/log.js';
import type { Problem } from './problem-details.js';

/** Lines of problems in each window: a client that sends nonsense must not fill the disk. */
const MAX_LINES = 20;
const WINDOW_MS = 1_000;
const MAX_PATH_LENGTH = 200;
const ORDER_PATH = /\/orders\/(\d{1,15})(?:\/|$)/;

/**
 * One line for a request. It names the path without its query, and nothing of the body or the headers.
 *
 * In the mode `errors` at most {@link MAX_LINES} lines of refusals (4xx) and as many of failures (5xx) are written each second, and then one
 * that counts the rest.
 */
export class AccessLog {
  private readonly log = new Log('Access');
  private readonly refusals = new LineBudget((count) => this.log.info('More requests were refused', { count }));
  private readonly failures = new LineBudget((count) => this.log.warn('More requests failed', { count }));

  constructor(private readonly mode: Logging['access']) {}

  /** Logs the problems of a server and, if the mode is `all`, every request, also one whose client has gone. Call it before the routes are made. */
  attach(server: FastifyInstance): void {
    server.decorate<AccessLog>('accessLog', this);
    if (this.mode !== 'all') return;
    server.addHook('onRequest', (request, reply, done) => {
      reply.raw.once('close', () => {
        // A problem has a line already.
        if (reply.problemCode !== undefined) return;
        if (reply.raw.writableFinished) this.log.info('The request was answered', fieldsOf(request, reply));
        else this.log.info('The client has gone', { ...fieldsOf(request, reply), status: undefined });
      });
      done();
    });
  }

  /** @param cause of the problem; told of failures only, for a refusal may quote what the client has sent. */
  problem(reply: FastifyReply, { status, code }: Problem, cause: unknown): void {
    const fields = (): LogFields => ({ ...fieldsOf(reply.request, reply), status, code });
    // Also with `off`: this is a fault of the system, which promises the client that the log has it.
    if (status === 500) {
      this.log.error('The request failed unexpectedly', { ...fields(), error: cause, stack: stackOf(cause) });
    } else if (this.mode === 'off') return;
    else if (status > 500) {
      if (this.mayWrite(this.failures)) this.log.warn('The request failed', { ...fields(), error: cause });
    } else if (this.mayWrite(this.refusals)) this.log.info('The request was refused', fields());
  }

  /** Nobody knows the outcome, so nothing may be answered. */
  hangUp(reply: FastifyReply, cause: unknown): void {
    this.log.error('The connection was closed without an answer', {
      ...fieldsOf(reply.request, reply),
      status: undefined,
      error: cause,
    });
  }

  private mayWrite(budget: LineBudget): boolean {
    return this.mode === 'all' || budget.take();
  }
}

/** Lines that may be written in a window; the others are counted. */
class LineBudget {
  private written = 0;
  private leftOut = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (leftOut: number) => void) {}

  take(): boolean {
    this.timer ??= setTimeout(() => this.close(), WINDOW_MS).unref();
    if (this.written < MAX_LINES) {
      this.written++;
      return true;
    }
    this.leftOut++;
    return false;
  }

  private close(): void {
    if (this.leftOut > 0) this.tell(this.leftOut);
    this.written = 0;
    this.leftOut = 0;
    this.timer = undefined;
  }
}

function fieldsOf({ id, method, url, receivedAt, span }: FastifyRequest, reply: FastifyReply): LogFields {
  const path = url.split('?', 1)[0]?.slice(0, MAX_PATH_LENGTH) ?? '';
  const location = reply.getHeader('Location');
  const [, orderId] = ORDER_PATH.exec(typeof location === 'string' ? location : path) ?? [];
  return {
    request_id: id,
    trace_id: span?.spanContext().traceId,
    method,
    path,
    status: reply.statusCode,
    // What cannot be routed reaches no hook, which would have noted the time.
    duration_ms: receivedAt > 0 ? Math.round((performance.now() - receivedAt) * 10) / 10 : undefined,
    order_id: orderId === undefined ? undefined : Number(orderId),
  };
}

function stackOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.stack : undefined;
}
