import type { QueryConfig } from 'pg';
import type { EntityManager } from 'typeorm';
import { queryWithin } from '../database/prepared-statement.js';
import { currentContext } from '../runtime/request-context.js';

// The one writer of `actions`, and its reader.

/** What somebody does. */
export const ACTION_TYPES = [
  'access.refused',
  'audit.requested',
  'database.restored',
  'dead_letters.redriven',
  'flash_sale.started',
  'key.created',
  'key.revoked',
  'key.rolled',
  'order.cancelled',
  'product.changed',
  'product.created',
  'product.deleted',
  'queue.changed',
  'stock.adjusted',
] as const;

export type ActionType = (typeof ACTION_TYPES)[number];

/** Something that somebody did. */
export interface Action {
  readonly id: number;
  readonly type: ActionType;
  /** Who did it; null while nobody has to say who they are. */
  readonly actor: string | null;
  /** What it was done to, by the names of the API. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId: string | null;
  readonly createdAt: Date;
}

/** Records an action of the request that runs, in the transaction of what it tells of, or before it. */
export async function recordAction(manager: EntityManager, type: ActionType, details: object): Promise<void> {
  const { requestId, actor } = currentContext();
  await queryWithin(manager, {
    name: 'record-action',
    text: 'INSERT INTO actions (type, details, request_id, actor) VALUES ($1, $2, $3, $4)',
    values: [type, JSON.stringify(details), requestId ?? null, actor ?? null],
  });
}

/** The newest actions below an id, newest first. */
export function selectActions({ before, limit }: { before?: number | undefined; limit: number }): QueryConfig {
  return {
    name: 'select-actions',
    text: `SELECT id, type, actor, details, request_id AS "requestId", created_at AS "createdAt"
           FROM actions WHERE id < coalesce($1, 9223372036854775807) ORDER BY id DESC LIMIT $2`,
    values: [before ?? null, limit],
  };
}
