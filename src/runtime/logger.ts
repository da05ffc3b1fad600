import { isatty } from 'node:tty';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config/config.js';
import { textOf } from './error-text.js';
import { LOG_FIELDS } from './log.js';
import { currentContext } from './request-context.js';

/** What Nest says of every module and every route while it starts: of use only in a search for a fault. */
const START_UP_CONTEXTS = new Set<unknown>(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory']);
const ALLOWED: ReadonlySet<string> = new Set(LOG_FIELDS);
/** The password in a URL, which errors of drivers may quote. */
const URL_PASSWORD = /(\w+:\/\/[^\s:@/]*:)[^\s@/]+@/g;

/** A key or a token that somebody has put where none belongs, into a path for instance. */
const KEY = /(ord_sk_\d+_)\w+/g;
const TOKEN = /eyJ[\w-]+\.eyJ[\w-]+(?:\.[\w-]*)?/g;

/** The lines of a process: pino behind the interface of Nest. */
class PinoLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write(START_UP_CONTEXTS.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /** Nest appends the context of the logger; libraries put a stack before it, and this system its fields. */
  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const context = rest.findLast((each) => typeof each === 'string');
    const [first] = rest;
    const stack = typeof first === 'string' && rest.length > 1 ? first : stackOf(message);
    const fields = { context, ...(stack === undefined ? {} : { stack: scrub(stack) }), ...allowedFieldsOf(first) };
    this.pino[level](fields, scrub(message instanceof Error ? message.message : textOf(message)));
  }
}

/**
 * JSON lines or, for a person, readable ones. Each has the ids of the request and the job that it belongs to.
 *
 * @param destination standard error for a command, whose standard output is its result.
 */
export function createLogger(
  { logging: { format, level } }: Pick<Config, 'logging'>,
  role: string,
  destination: DestinationStream & { readonly fd?: number } = process.stdout,
): LoggerService {
  const readable = () =>
    pretty({
      colorize: isatty(destination.fd ?? -1),
      messageKey: 'message',
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'role,pid',
      singleLine: true,
      sync: true,
      destination,
    });
  const logger = pino(
    {
      level,
      base: { role, pid: process.pid },
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => {
        const { requestId, jobId, trace } = currentContext();
        return { request_id: requestId, job_id: jobId, trace_id: trace?.traceId };
      },
    },
    format === 'json' ? destination : readable(),
  );
  return new PinoLogger(logger);
}

function allowedFieldsOf(given: unknown): object {
  const allowed: Record<string, string | number> = {};
  const entries: [string, unknown][] = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  for (const [field, value] of entries) {
    if (!ALLOWED.has(field) || value === undefined) continue;
    if (typeof value === 'number') allowed[field] = value;
    else allowed[field] = scrub(field === 'stack' && typeof value === 'string' ? value : textOf(value));
  }
  return allowed;
}

function stackOf(message: unknown): string | undefined {
  return message instanceof Error ? message.stack : undefined;
}

function scrub(text: string): string {
  return text.replaceAll(URL_PASSWORD, '$1***@').replaceAll(KEY, '$1***').replaceAll(TOKEN, '***');
}
