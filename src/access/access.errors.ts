import { ApplicationError } from '../kernel/application-error.js';

/** The keys could not be read for too long. */
export class KeysUnknownError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'DATABASE_UNAVAILABLE';

  constructor() {
    super('The keys cannot be read from the database; try again');
  }
}

/** The keys of the issuer of tokens could not be read. */
export class IssuerUnavailableError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'ISSUER_UNAVAILABLE';

  constructor() {
    super('The issuer of tokens does not answer, so its tokens cannot be judged; try again, or use a key');
  }
}

export class ApiKeyNotFoundError extends ApplicationError {
  readonly kind = 'not_found';
  readonly code = 'KEY_NOT_FOUND';

  constructor(id: number) {
    super(`Key with ID ${id} not found`);
  }
}

/** A request that has made a key is sent again: its token was shown, and is not known any more. */
export class ApiKeyAlreadyIssuedError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'KEY_ALREADY_ISSUED';
  override readonly members: Readonly<Record<string, number>>;

  constructor(id: number) {
    super(`The key with ID ${id} was issued for this Idempotency-Key, and its secret is shown once; roll or revoke it`);
    this.members = { id };
  }
}
