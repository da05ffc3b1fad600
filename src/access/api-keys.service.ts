import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { recordAction } from '../actions/action.js';
import { queryWithin } from '../database/prepared-statement.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import type { Caller } from '../kernel/access/caller.js';
import { ForbiddenError } from '../kernel/access/forbidden.error.js';
import { ACCESS_ROLES, isAccessRole, type Scope, SCOPES, widened } from '../kernel/access/scopes.js';
import { STORED_NOTHING, storedAsJson } from '../kernel/stored-json.js';
import { ApiKeyAlreadyIssuedError, ApiKeyNotFoundError } from './access.errors.js';
import type { ApiKey, IssuedApiKey, NewApiKey } from './api-key.js';
import { insertApiKey, lockApiKey, revokeApiKey, rollApiKey, setDigest } from './api-key-rows.js';
import { digestOf, makeToken } from './api-key-token.js';

/** Of a key that was issued, its id alone is kept: the token is nowhere but with whoever asked for it. */
const STORED_ID = storedAsJson<{ id: number; issued?: IssuedApiKey }>({
  write: ({ id }) => ({ id }),
  read: ({ id }: { id: number }) => ({ id }),
});

/** Issues, rolls and revokes keys; each is recorded among the actions. */
@Injectable()
export class ApiKeysService {
  constructor(private readonly idempotency: IdempotencyService) {}

  /**
   * @throws ForbiddenError when the caller lacks what the key would have.
   * @throws ApiKeyAlreadyIssuedError for a request that has made a key before.
   */
  async create(key: NewApiKey, caller: Caller, request?: IdempotentRequest): Promise<IssuedApiKey> {
    expectWithin(caller, key);
    expectNoLonger(caller, key.expiresAt ?? null);
    return this.issue(request, async (manager) => {
      const [made] = await queryWithin<ApiKey & object>(manager, insertApiKey(key, caller.actor));
      const issued = issuedOf(made);
      await queryWithin(manager, setDigest(issued.key.id, digestOf(issued.token)));
      await recordAction(manager, 'key.created', { key_id: issued.key.id, ...describe(key) });
      return issued;
    });
  }

  /**
   * Gives a key another secret, and leaves the old one good for a while.
   *
   * @throws ApiKeyNotFoundError when there is none, or it is revoked; and as {@link create} does.
   */
  async roll(
    id: number,
    overlapSeconds: number,
    { caller, request }: { caller: Caller; request: IdempotentRequest | undefined },
  ): Promise<IssuedApiKey> {
    return this.issue(request, async (manager) => {
      const key = await lock(manager, id);
      expectWithin(caller, key);
      expectNoLonger(caller, key.expiresAt);
      if (key.expiresAt !== null && key.expiresAt.getTime() <= Date.now()) throw new ApiKeyNotFoundError(id);
      const issued = issuedOf(key);
      await queryWithin(manager, rollApiKey(id, digestOf(issued.token), overlapSeconds));
      await recordAction(manager, 'key.rolled', { key_id: id, overlap_seconds: overlapSeconds });
      return issued;
    });
  }

  /** @throws ApiKeyNotFoundError when there is none, or it is revoked; ForbiddenError when the key can do more than the caller. */
  async revoke(id: number, caller: Caller): Promise<void> {
    await this.idempotency.run(undefined, STORED_NOTHING, async (manager) => {
      const key = await lock(manager, id);
      expectWithin(caller, key);
      await queryWithin(manager, revokeApiKey(id));
      await recordAction(manager, 'key.revoked', { key_id: id, name: key.name });
      return undefined;
    });
  }

  private async issue(
    request: IdempotentRequest | undefined,
    work: (manager: EntityManager) => Promise<IssuedApiKey>,
  ): Promise<IssuedApiKey> {
    const { result } = await this.idempotency.run(request, STORED_ID, async (manager) => {
      const issued = await work(manager);
      return { id: issued.key.id, issued };
    });
    if (result.issued === undefined) throw new ApiKeyAlreadyIssuedError(result.id);
    return result.issued;
  }
}

async function lock(manager: EntityManager, id: number): Promise<ApiKey> {
  const [key] = await queryWithin<ApiKey & object>(manager, lockApiKey(id));
  if (key === undefined) throw new ApiKeyNotFoundError(id);
  return key;
}

/** With a new token. */
function issuedOf(key: ApiKey | undefined): IssuedApiKey {
  if (key === undefined) throw new Error('The key that was issued is not there');
  return { key, token: makeToken(key.id) };
}

/** A key can do no more than who makes it. @throws ForbiddenError */
function expectWithin(
  { scopes: own }: Caller,
  key: Pick<NewApiKey, 'scopes'> & { role?: ApiKey['role'] | undefined },
): void {
  const missing = [...widened(scopesOf(key))].filter((scope) => !own.has(scope));
  if (missing.length > 0)
    throw new ForbiddenError(`A key can do no more than who makes it, who lacks ${missing.join(', ')}`);
}

/** Nor is it good for longer. @throws ForbiddenError */
function expectNoLonger({ expiresAt: own }: Caller, expiresAt: Date | null): void {
  if (own === null || (expiresAt !== null && expiresAt <= own)) return;
  throw new ForbiddenError(`A key can last no longer than who makes it, which is until ${own.toISOString()}`);
}

/** The scopes of a key, those of its role included. */
function scopesOf({
  role,
  scopes,
}: Pick<NewApiKey, 'scopes'> & { role?: ApiKey['role'] | undefined }): readonly Scope[] {
  if (role === null || role === undefined) return scopes;
  // One of a later release may be anything.
  return isAccessRole(role) ? ACCESS_ROLES[role] : SCOPES;
}

function describe({ name, role, scopes, customerRef, expiresAt }: NewApiKey): object {
  return {
    name,
    ...(role === undefined ? { scopes } : { role }),
    ...(customerRef === undefined ? {} : { customer_ref: customerRef }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt.toISOString() }),
  };
}
