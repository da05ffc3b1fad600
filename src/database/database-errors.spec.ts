import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { DatabaseUnavailableError, isRefusal, LockTimeoutError, translateDatabaseError } from './database-errors.js';

const system = (code: string) => Object.assign(new Error(code), { code });
const postgres = (code: string) => new QueryFailedError('', [], Object.assign(system(code), { severity: 'ERROR' }));

describe('translateDatabaseError', () => {
  it.each(['EPIPE', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'])(
    'takes %s of the system for a lost database',
    (code) => {
      expect(translateDatabaseError(system(code))).toBeInstanceOf(DatabaseUnavailableError);
      expect(isRefusal(system(code))).toBe(false);
    },
  );

  it.each(['08006', '53300', '53100', '57014', '57P01', '25P04', '40P01', '40001'])(
    'takes SQLSTATE %s for a database that cannot serve now',
    (code) => expect(translateDatabaseError(postgres(code))).toBeInstanceOf(DatabaseUnavailableError),
  );

  it('takes a connection that TypeORM has given back for a lost database', () => {
    for (const error of [new QueryRunnerAlreadyReleasedError(), new QueryRunnerProviderAlreadyReleasedError()]) {
      expect(translateDatabaseError(error)).toBeInstanceOf(DatabaseUnavailableError);
    }
  });

  it('tells a lock that was not to be had apart', () => {
    expect(translateDatabaseError(postgres('55P03'))).toBeInstanceOf(LockTimeoutError);
  });

  it('leaves faults of the program alone', () => {
    for (const fault of [postgres('23514'), postgres('42P01'), new TypeError('x'), undefined, 'text']) {
      expect(translateDatabaseError(fault)).toBeUndefined();
    }
  });
});

describe('isRefusal', () => {
  it('trusts a no of PostgreSQL, but not the last word of a session that is ended', () => {
    expect(['23514', '40001'].map((code) => isRefusal(postgres(code)))).toEqual([true, true]);
    expect(['57P01', '57P02', '25P04'].map((code) => isRefusal(postgres(code)))).toEqual([false, false, false]);
  });
});
