import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ApplicationError } from '../kernel/application-error.js';
import { hasWaitedTooLong, isDuplicate } from '../database/database-errors.js';
import { CONFIRM_READ } from '../database/transactions/commit.js';
import { queryWithin, readInBudget, readPrepared } from '../database/prepared-statement.js';
import type { StoredForm } from '../kernel/stored-json.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import {
  IdempotencyKeyInUseError,
  IdempotencyKeyReusedError,
  isFinal,
  KeyTakenError,
  ReplayedError,
} from './idempotency.errors.js';
import { keepRefusals, keepResult } from './idempotency-key-writer.js';
import { type IdempotencyKeyRow, selectKey, waitForKey } from './idempotency-keys.js';
import type { IdempotentRequest, KeptOutcome, Performed } from './idempotent-request.js';

/**
 * Executes a request with an idempotency key once; every repetition gets the stored outcome. The outcome is written with the key in
 * the transaction that does the work, so that both are there or neither.
 */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly dataSource: DataSource,
  ) {}

  /**
   * Runs `work` in a transaction and gives its result; or, for a key that was used before, the stored result of the first request. A
   * refusal is an outcome as well, unless it is for the moment only. Of two requests at the same time the second waits.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError, and what `work` throws.
   */
  async run<T>(
    request: IdempotentRequest | undefined,
    storedForm: StoredForm<T>,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<Performed<T>> {
    if (request === undefined) return { result: await this.transactions.run(work), isReplayed: false };
    const outcome = await this.transactions.run(async (manager) => {
      await lockKey(manager, request);
      const [used] = await queryWithin<IdempotencyKeyRow>(manager, selectKey(request));
      if (used === undefined) return workAndKeep(manager, request, { storedForm, work });
      const { text } = readOutcome(used, request);
      if (text === undefined) throw new Error('The kept outcome of an idempotency key has no result');
      await manager.query(CONFIRM_READ);
      return { result: storedForm.fromText(text), isReplayed: true };
    });
    // A refusal is returned and not thrown, so that the transaction commits the stored refusal. It is thrown after the commit.
    if (outcome instanceof ApplicationError) throw outcome;
    return outcome;
  }

  /**
   * Like `run`, but `work` stores the key itself, in its own statement, and throws `KeyTakenError` when the key is already used; then
   * `replay` makes the result of the stored outcome. A request whose key another transaction is using does not wait: it is refused
   * with `IdempotencyKeyInUseError`.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError, and what `work` throws.
   */
  async runOrReplay<T>(
    request: IdempotentRequest | undefined,
    work: () => Promise<T>,
    replay: (kept: KeptOutcome) => Promise<T>,
  ): Promise<Performed<T>> {
    try {
      return { result: await work(), isReplayed: false };
    } catch (error) {
      if (!(error instanceof KeyTakenError) || request === undefined) throw error;
      return { result: await readInBudget(replay(await this.find(request))), isReplayed: true };
    }
  }

  /** The outcome of an earlier request with the key, which is as durable by now as when it was first answered. */
  private async find(request: IdempotentRequest): Promise<KeptOutcome> {
    const [used] = await readPrepared<IdempotencyKeyRow>(this.dataSource, selectKey(request));
    if (used === undefined) throw new IdempotencyKeyInUseError();
    const outcome = readOutcome(used, request);
    await this.transactions.confirmRead();
    return outcome;
  }
}

/** A second request with the key waits here until the first one has ended. */
async function lockKey(manager: EntityManager, request: IdempotentRequest): Promise<void> {
  await queryWithin(manager, waitForKey(request)).catch((error: unknown) => {
    throw hasWaitedTooLong(error) ? new IdempotencyKeyInUseError() : error;
  });
}

function readOutcome(
  { fingerprint, error, orderId, reservationId, body }: IdempotencyKeyRow,
  request: IdempotentRequest,
): KeptOutcome {
  if (fingerprint !== request.fingerprint) throw new IdempotencyKeyReusedError();
  if (error !== null) throw new ReplayedError(error);
  return { orderId: orderId ?? undefined, reservationId: reservationId ?? undefined, text: body ?? undefined };
}

async function workAndKeep<T>(
  manager: EntityManager,
  request: IdempotentRequest,
  { storedForm, work }: { storedForm: StoredForm<T>; work: (manager: EntityManager) => Promise<T> },
): Promise<Performed<T> | ApplicationError> {
  try {
    // A savepoint: a refusal undoes the work and keeps the transaction.
    const result = await manager.transaction(work);
    await queryWithin(manager, keepResult(request, storedForm.toText(result)));
    return { result, isReplayed: false };
  } catch (error) {
    if (!isFinal(error)) throw isDuplicate(error) ? new IdempotencyKeyInUseError() : error;
    const kept = await queryWithin(manager, keepRefusals([{ request, error }]));
    if (kept.length === 0) throw new IdempotencyKeyInUseError();
    return error;
  }
}
