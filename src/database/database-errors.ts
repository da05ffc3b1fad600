import { QueryFailedError } from 'typeorm';
import { ApplicationError } from '../common/application-error.js';
import { NoAnswerError } from '../common/no-answer.error.js';

/** PostgreSQL is away, too slow or has no connection to spare. Nothing was changed. */
export class DatabaseUnavailableError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'DATABASE_UNAVAILABLE';

  constructor(cause?: unknown) {
    super('The database is not available; try again', { cause });
  }
}

/** Others held the rows for longer than the lock timeout. Nothing was changed. */
export class LockTimeoutError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'LOCK_TIMEOUT';

  constructor(cause?: unknown) {
    super('Too many others are changing the same rows; try again', { cause });
  }
}

/**
 * The connection broke while PostgreSQL was committing and PostgreSQL cannot be asked what became of it. Either may be
 * true, so no answer may be given: the caller's connection is closed instead.
 */
export class CommitOutcomeUnknownError extends NoAnswerError {
  constructor(cause: unknown) {
    super('The outcome of a commit is not known', { cause });
    this.name = 'CommitOutcomeUnknownError';
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const LOCK_NOT_AVAILABLE = '55P03';
const RETRYABLE = new Set(['40001', '40P01']);
/** Connection exceptions, resources (too many connections, disk full), operator intervention, timeouts, system errors. */
const UNAVAILABLE = /^(08|53|57|58)|^25P0[34]$/;

/** The SQLSTATE of an error that PostgreSQL itself sent, or `undefined`: then the connection failed. */
function sqlStateOf(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code) ? cause.code : undefined;
}

/** A deadlock or a serialization failure: the same transaction can succeed when it is run again. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(sqlStateOf(error) ?? '');
}

/** Others held a row for longer than the lock timeout; the transaction has been rolled back. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === LOCK_NOT_AVAILABLE;
}

/** Says what an error of PostgreSQL or its driver means to a caller; `undefined` for one that is none of theirs. */
export function translateDatabaseError(error: unknown): ApplicationError | undefined {
  const sqlState = sqlStateOf(error);
  if (isLockTimeout(error)) return new LockTimeoutError(error);
  if (sqlState !== undefined) {
    return UNAVAILABLE.test(sqlState) || RETRYABLE.has(sqlState) ? new DatabaseUnavailableError(error) : undefined;
  }
  return isConnectionError(error) ? new DatabaseUnavailableError(error) : undefined;
}

/** pg and pg-pool throw plain errors when a connection cannot be had, is lost or does not answer in time. */
export function isConnectionError(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  if ('code' in cause && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/.test(String(cause.code)))
    return true;
  return /timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable|Client was closed/i.test(
    cause.message,
  );
}
