import { Logger } from '@nestjs/common';

/**
 * What a line may say beside its message. The logger leaves every other field out, so that no line holds a body, a header or a credential.
 * Names are those of the API and of `docs/operations.md`.
 */
export const LOG_FIELDS = [
  'request_id',
  'trace_id',
  'order_id',
  'reservation_id',
  'product_id',
  'job_id',
  'event_id',
  'code',
  'method',
  'path',
  'status',
  'duration_ms',
  'attempt',
  'count',
  'finding',
  'meaning',
  'setting',
  'subscriber',
  'address',
  'url',
  'error',
  'stack',
] as const;

/** Fields of a line; `error` may be whatever was thrown. */
export type LogFields = Partial<Record<Exclude<(typeof LOG_FIELDS)[number], 'error'>, string | number | undefined>> & {
  readonly error?: unknown;
};

/** Logs constant messages: what differs from line to line is a field, so that lines can be counted and filtered. */
export class Log {
  private readonly logger: Logger;

  constructor(context: string) {
    this.logger = new Logger(context);
  }

  error(message: string, fields: LogFields = {}): void {
    this.logger.error(message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.logger.warn(message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.logger.log(message, fields);
  }

  debug(message: string, fields: LogFields = {}): void {
    this.logger.debug(message, fields);
  }
}
