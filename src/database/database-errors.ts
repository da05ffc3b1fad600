import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { ApplicationError } from '../kernel/application-error.js';
import { NoAnswerError } from '../kernel/no-answer.error.js';

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
const QUERY_CANCELED = '57014';
const RETRYABLE = new Set(['40001', '40P01']);
/** A standby, or a primary that was set to read only. The second is what asking a standby for its place in the log gives. */
const READ_ONLY = new Set(['25006', '55000']);
/** Connection exceptions, resources (too many connections, disk full), operator intervention, timeouts, system errors. */
const UNAVAILABLE = /^(08|53|57|58)|^25P0[34]$|^25006$|^55000$/;

/** The SQLSTATE of an error that PostgreSQL itself sent, or `undefined`: then the connection failed. */
function sqlStateOf(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  // Errors of the system have a code as well, EPIPE for one; only what PostgreSQL sends has a severity.
  if (!(cause instanceof Error) || !('severity' in cause) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

/**
 * PostgreSQL said no to a commit. An error of the connection says nothing, and neither does the last word of a session
 * that is ended from outside: it may come after the commit.
 */
export function isRefusal(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState !== undefined && !UNAVAILABLE.test(sqlState);
}

/** A value that must be there is missing, or a number is too large for its column. */
export function isImpossibleValue(error: unknown): boolean {
  return ['23502', '22003'].includes(sqlStateOf(error) ?? '');
}

/** Another transaction has written the same key first. */
export function isDuplicate(error: unknown): boolean {
  return sqlStateOf(error) === '23505';
}

/** The server only reads: the one that writes is another one, or will be. */
export function isReadOnlyServer(error: unknown): boolean {
  return READ_ONLY.has(sqlStateOf(error) ?? '');
}

/** A deadlock or a serialization failure: the same transaction can succeed when it is run again. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(sqlStateOf(error) ?? '');
}

/** A statement gave up on a lock, or on several one after the other; the transaction has been rolled back. */
export function hasWaitedTooLong(error: unknown): boolean {
  return [LOCK_NOT_AVAILABLE, QUERY_CANCELED].includes(sqlStateOf(error) ?? '');
}

/** Says what an error of PostgreSQL or its driver means to a caller; `undefined` for one that is none of theirs. */
export function translateDatabaseError(error: unknown): ApplicationError | undefined {
  const sqlState = sqlStateOf(error);
  if (sqlState === LOCK_NOT_AVAILABLE) return new LockTimeoutError(error);
  if (sqlState !== undefined) {
    return UNAVAILABLE.test(sqlState) || RETRYABLE.has(sqlState) ? new DatabaseUnavailableError(error) : undefined;
  }
  return isConnectionError(error) ? new DatabaseUnavailableError(error) : undefined;
}

/**
 * Whether a transaction of many may have failed for one of them. One that PostgreSQL was too busy or not there for has failed
 * for all; and one that may be committed must not be run a second time.
 */
export function mayConcernOne(error: unknown): boolean {
  const isDatabase = error instanceof DatabaseUnavailableError || translateDatabaseError(error) !== undefined;
  return !(error instanceof NoAnswerError) && !isDatabase;
}

/**
 * pg and pg-pool throw plain errors when a connection cannot be had, is lost or does not answer in time. TypeORM gives a
 * connection back by itself that breaks while it has nothing to do; the next statement is then told so, in a transaction or a read.
 */
export function isConnectionError(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (cause instanceof QueryRunnerAlreadyReleasedError || cause instanceof QueryRunnerProviderAlreadyReleasedError)
    return true;
  if (typeof cause !== 'object' || cause === null) return false;
  if ('code' in cause && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/.test(String(cause.code)))
    return true;
  return (
    'message' in cause &&
    /timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable|Client was closed/i.test(
      String(cause.message),
    )
  );
}
