import { isatty } from 'node:tty';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Config } from '../config/config.js';

const LEVELS: Record<Config['logLevel'], LogLevel[]> = {
  debug: ['fatal', 'error', 'warn', 'log', 'debug'],
  info: ['fatal', 'error', 'warn', 'log'],
  warn: ['fatal', 'error', 'warn'],
  error: ['fatal', 'error'],
};

/** What Nest says of every module and every route while it starts: of use in a search for a fault only. */
const START_UP_CONTEXTS = new Set<unknown>(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory']);

class Logger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (START_UP_CONTEXTS.has(rest.at(-1)) && !this.isLevelEnabled('debug')) return;
    super.log(message, ...rest);
  }
}

/** JSON lines in production, readable lines elsewhere. */
export function createLogger({ production, logLevel }: Pick<Config, 'production' | 'logLevel'>): ConsoleLogger {
  return new Logger({ json: production, colors: isatty(process.stdout.fd), logLevels: LEVELS[logLevel] });
}
