import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ApplicationError } from '../kernel/application-error.js';
import type { TextAnswer } from '../http/text-answer.js';
import { hasWaitedTooLong, isDuplicate } from '../database/database-errors.js';
import { CONFIRM_READ } from '../database/commit.js';
import { readPrepared } from '../database/prepared-statement.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError, isFinal, ReplayedError } from './idempotency.errors.js';
import { type IdempotencyKeyRow, keepErrors, selectKey, waitForKey } from './idempotency-keys.js';
import type { IdempotentRequest, KeptOutcome } from './idempotent-request.js';

/**
 * Does once what is asked for twice. The outcome of a request is written with its key in the transaction that does the work,
 * so that both are there or neither; who comes later with the key is told the same.
 */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly dataSource: DataSource,
  ) {}

  /**
   * Runs `work` in a transaction and answers with what it gives; or, for a key that was used before, with what was answered
   * then. A refusal is an outcome as well, unless it is for the moment only. Of two at the same time the second waits.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError, and what `work` throws.
   */
  async run(
    request: IdempotentRequest | undefined,
    work: (manager: EntityManager) => Promise<object>,
  ): Promise<TextAnswer> {
    if (request === undefined) return { text: JSON.stringify(await this.transactions.run(work)) };
    const outcome = await this.transactions.run(async (manager) => {
      await lockKey(manager, request);
      const { text, values } = selectKey(request);
      const [used] = await manager.query<IdempotencyKeyRow[]>(text, values);
      if (used === undefined) return workAndKeep(manager, request, work);
      const { text: kept = '' } = readOutcome(used, request);
      await manager.query(CONFIRM_READ);
      return { text: kept, isReplayed: true };
    });
    if (outcome instanceof ApplicationError) throw outcome;
    return outcome;
  }

  /**
   * The outcome of an earlier request with the key, which is as durable by now as when it is answered for the first time;
   * `undefined` when there is none.
   *
   * @throws IdempotencyKeyReusedError, and the refusal if it was one.
   */
  async find(request: IdempotentRequest): Promise<KeptOutcome | undefined> {
    const [used] = await readPrepared<IdempotencyKeyRow>(this.dataSource, selectKey(request));
    if (used === undefined) return undefined;
    const outcome = readOutcome(used, request);
    await this.transactions.confirmRead();
    return outcome;
  }
}

/** Who comes with the key at the same time waits here until the first one has ended. */
async function lockKey(manager: EntityManager, request: IdempotentRequest): Promise<void> {
  const { text, values } = waitForKey(request);
  await manager.query(text, values).catch((error: unknown) => {
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

async function workAndKeep(
  manager: EntityManager,
  request: IdempotentRequest,
  work: (manager: EntityManager) => Promise<object>,
): Promise<TextAnswer | ApplicationError> {
  try {
    const text = JSON.stringify(await manager.transaction(work));
    await manager.query('INSERT INTO idempotency_keys (key, fingerprint, body) VALUES ($1, $2, $3)', [
      request.sentKey,
      request.fingerprint,
      text,
    ]);
    return { text };
  } catch (error) {
    if (!isFinal(error)) throw isDuplicate(error) ? new IdempotencyKeyInUseError() : error;
    const refusal = keepErrors([{ request, error }]);
    const kept = await manager.query<unknown[]>(refusal.text, refusal.values);
    if (kept.length === 0) throw new IdempotencyKeyInUseError();
    return error;
  }
}
