import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ApplicationError } from '../kernel/application-error.js';
import { hasWaitedTooLong, isDuplicate } from '../database/database-errors.js';
import { CONFIRM_READ } from '../database/commit.js';
import { queryWithin, readPrepared } from '../database/prepared-statement.js';
import type { StoredForm } from '../kernel/stored-json.js';
import { TransactionRunner } from '../database/transaction-runner.js';
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
 * Does once what is asked for twice. The outcome of a request is written with its key in the transaction that does the work, so
 * that both are there or neither; a later request with the key has the same outcome.
 */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly dataSource: DataSource,
  ) {}

  /**
   * Runs `work` in a transaction and gives its result; or, for a key that was used before, the result of then. A refusal is an
   * outcome as well, unless it is for the moment only. Of two requests at the same time the second waits.
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
    if (outcome instanceof ApplicationError) throw outcome;
    return outcome;
  }

  /**
   * The same for `work` that keeps by itself which row it has made. It throws a `KeyTakenError` when the key was used before; then
   * `replay` gives the result from the outcome of then.
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
      return { result: await replay(await this.find(request)), isReplayed: true };
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
