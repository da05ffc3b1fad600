import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { offsetOf, type PageRequest } from '../../kernel/page.js';
import { READS } from '../data-source-options.js';
import { readPrepared } from '../prepared-statement.js';

/** Ids of one block, as the triggers count them: `id >> 10`. A page is never further than this from a counted place. */
const BLOCK_IDS = 1_024;
/** Blocks of one block of the level above. */
export const FAN_OUT = 256;

/** A list whose rows are counted, the highest id first. */
export interface CountedList {
  /** Of its prepared statement. */
  readonly name: string;
  /** Its names in `row_counts`. */
  readonly counts: readonly string[];
  /** The rows in SQL, up to and with a condition: `products WHERE deleted_at IS NULL`. */
  readonly rows: string;
}

/** The ids of a page, and the last of them when there are more. */
export interface FoundIds {
  readonly total: number;
  readonly ids: readonly number[];
  readonly next: number | undefined;
}

/** Where a page of a list starts: `skip` rows further down from the ids below `below`. */
interface Place {
  readonly total: number;
  readonly below: number;
  readonly skip: number;
}

interface BlockCount {
  readonly block: number;
  readonly rows: number;
}

/**
 * Finds pages far down a list, and its length, at a cost that does not grow with the table: rows are counted in blocks of ids
 * and blocks of blocks, as in an order-statistic tree. Triggers append each change of a count to `row_count_changes`, in
 * the transaction that makes it; readers add them up, and `RowCountFolding` folds them into `row_counts`.
 */
@Injectable()
export class RowCounts {
  constructor(@InjectDataSource(READS) private readonly dataSource: DataSource) {}

  /** The ids of a page: of its place in the list, or of those below `before`. The total is exact at the moment of the call. */
  async page(list: CountedList, { before, ...request }: PageRequest): Promise<FoundIds> {
    const { total, below, skip } = await this.locate(list.counts, offsetOf(request));
    const rows = await readPrepared<{ id: number }>(this.dataSource, {
      name: `page-of-${list.name}`,
      text: `SELECT id FROM ${list.rows} AND id < $1 ORDER BY id DESC OFFSET $2 LIMIT $3`,
      values: [before ?? below, before === undefined ? skip : 0, request.pageSize + 1],
    });
    return foundIds(
      total,
      rows.map(({ id }) => id),
      request,
    );
  }

  /** How many rows each of the lists of `row_counts` has; none for an empty one. */
  async totals(lists: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await readPrepared<{ list: string; rows: number }>(this.dataSource, {
      name: 'count-lists',
      text: `SELECT list, sum(rows)::bigint AS rows FROM (
               SELECT list, rows FROM row_counts WHERE list = ANY ($1::text[]) AND level = 1
               UNION ALL SELECT list, change FROM row_count_changes WHERE list = ANY ($1::text[])
             ) AS counted GROUP BY list`,
      values: [lists],
    });
    return new Map(rows.map((row) => [row.list, row.rows]));
  }

  /** The place of the row that `offset` rows precede in the union of `lists`, the highest id first. */
  private async locate(lists: readonly string[], offset: number): Promise<Place> {
    const upper = await this.counts(lists, 1, [0, Number.MAX_SAFE_INTEGER]);
    const total = upper.reduce((sum, { rows }) => sum + rows, 0);
    if (offset >= total) return { total, below: 0, skip: 0 };
    if (offset < BLOCK_IDS) return { total, below: Number.MAX_SAFE_INTEGER, skip: offset };
    const outer = walk(upper, offset);
    const first = outer.block * FAN_OUT;
    const inner = walk(await this.counts(lists, 0, [first, first + FAN_OUT - 1]), outer.skip);
    return { total, below: (inner.block + 1) * BLOCK_IDS, skip: inner.skip };
  }

  /** The counts of blocks `from` to `to`, the highest block first. */
  private async counts(
    lists: readonly string[],
    level: 0 | 1,
    [from, to]: readonly [number, number],
  ): Promise<BlockCount[]> {
    return readPrepared<{ block: number; rows: number }>(this.dataSource, {
      name: `count-blocks-${level}`,
      text: `SELECT block, sum(rows)::bigint AS rows FROM (
               SELECT block, rows FROM row_counts
               WHERE list = ANY ($1::text[]) AND level = ${level} AND block BETWEEN $2 AND $3
               UNION ALL
               SELECT block / ${level === 0 ? 1 : FAN_OUT}, change FROM row_count_changes
               WHERE list = ANY ($1::text[]) AND block / ${level === 0 ? 1 : FAN_OUT} BETWEEN $2 AND $3
             ) AS counted
             GROUP BY block ORDER BY block DESC`,
      values: [lists, from, to],
    });
  }
}

/** Of ids that were asked for one beyond the page. */
export function foundIds(total: number, ids: readonly number[], { pageSize }: PageRequest): FoundIds {
  const page = ids.slice(0, pageSize);
  return { total, ids: page, next: ids.length > pageSize ? page.at(-1) : undefined };
}

/** The block that holds the row which `offset` rows precede, and how many of them are in it. */
function walk(counts: readonly BlockCount[], offset: number): { block: number; skip: number } {
  let skip = offset;
  for (const { block, rows } of counts) {
    if (skip < rows) return { block, skip };
    skip -= rows;
  }
  // Rows went away between two looks: the end of the lowest block.
  return { block: (counts.at(-1)?.block ?? 0) - 1, skip: 0 };
}
