import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ApplicationError } from '../common/application-error.js';
import type { TextAnswer } from '../common/text-answer.js';
import { hasWaitedTooLong, isDuplicate } from '../database/database-errors.js';
import { readPrepared } from '../database/prepared-statement.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError, isFinal, ReplayedError } from './idempotency.errors.js';
import { type IdempotencyKeyRow, keepErrors, selectKey } from './idempotency-keys.js';
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
   * then. A refusal is an outcome as well, unless it is for the moment only. Two at the same time wait for each other.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError, and what `work` throws.
   */
  async run(
    request: IdempotentRequest | undefined,
    work: (manager: EntityManager) => Promise<object>,
  ): Promise<TextAnswer> {
    if (request === undefined) {
      return { text: JSON.stringify(await this.transactions.run(work)), isReplayed: false };
    }
    return (await this.replay(request)) ?? this.runFirst(request, work);
  }

  /**
   * The outcome of an earlier request with the key; `undefined` when there is none.
   *
   * @throws IdempotencyKeyReusedError, and the refusal if it was one.
   */
  async find({ key, fingerprint }: IdempotentRequest): Promise<KeptOutcome | undefined> {
    const [row] = await readPrepared<IdempotencyKeyRow>(this.dataSource, selectKey(key));
    if (row === undefined) return undefined;
    if (row.fingerprint !== fingerprint) throw new IdempotencyKeyReusedError();
    if (row.error !== null) throw new ReplayedError(row.error);
    return row.orderId === null ? { text: row.body ?? '' } : { orderId: row.orderId };
  }

  private async replay(request: IdempotentRequest): Promise<TextAnswer | undefined> {
    const kept = await this.find(request);
    return kept !== undefined && 'text' in kept ? { text: kept.text, isReplayed: true } : undefined;
  }

  /** The key is written last: who comes with it at the same time waits there, and finds it used. */
  private async runFirst(
    request: IdempotentRequest,
    work: (manager: EntityManager) => Promise<object>,
  ): Promise<TextAnswer> {
    try {
      const outcome = await this.transactions.run((manager) => workAndKeep(manager, request, work));
      if (typeof outcome !== 'string') throw outcome;
      return { text: outcome, isReplayed: false };
    } catch (error) {
      const kept = isDuplicate(error) ? await this.replay(request) : undefined;
      if (kept !== undefined) return kept;
      throw error;
    }
  }
}

async function workAndKeep(
  manager: EntityManager,
  request: IdempotentRequest,
  work: (manager: EntityManager) => Promise<object>,
): Promise<string | ApplicationError> {
  const outcome = await manager.transaction(work).then(
    (result) => JSON.stringify(result),
    (error: unknown) => {
      if (isFinal(error)) return error;
      throw error;
    },
  );
  try {
    if (typeof outcome === 'string') await keepBody(manager, request, outcome);
    else await keepError(manager, request, outcome);
    return outcome;
  } catch (error) {
    throw hasWaitedTooLong(error) ? new IdempotencyKeyInUseError() : error;
  }
}

async function keepBody(manager: EntityManager, { key, fingerprint }: IdempotentRequest, body: string): Promise<void> {
  await manager.query('INSERT INTO idempotency_keys (key, fingerprint, body) VALUES ($1, $2, $3)', [
    key,
    fingerprint,
    body,
  ]);
}

async function keepError(manager: EntityManager, request: IdempotentRequest, error: ApplicationError): Promise<void> {
  const { text, values } = keepErrors([{ request, error }]);
  await manager.query(text, values);
}
