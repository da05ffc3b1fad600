import type { EnvironmentReader } from './environment-reader.js';

/** What a process logs, and how. */
export interface Logging {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'pretty';
  /** The requests that get a line: none, those that met a problem, or all. */
  readonly access: 'off' | 'errors' | 'all';
}

/** `LOG_LEVEL`, `LOG_FORMAT` and `ACCESS_LOG`. */
export function readLogging(reader: EnvironmentReader, production: boolean): Logging {
  return {
    level: reader.oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error'], 'info'),
    format: reader.oneOf('LOG_FORMAT', ['json', 'pretty'], production ? 'json' : 'pretty'),
    access: reader.oneOf('ACCESS_LOG', ['off', 'errors', 'all'], 'errors'),
  };
}
