import type { DataSource } from 'typeorm';
import { offsetOf, type PageRequest } from '../kernel/page.js';
import { readPrepared } from '../database/prepared-statement.js';
import { type FoundIds, foundIds } from '../database/lists/row-counts.js';

/** As many hits of a search are counted. */
export const MAX_COUNTED = 10_000;
/** As many are reached by the number of a page, which reads all before it; links lead to the others. */
export const MAX_OFFSET = 100_000;

/** A text of fewer letters is in so many names that they are counted a block at a time. */
const MIN_RARE_LENGTH = 3;
/** Both sides are folded by the same function of the database; see the migration `fold-names`. */
const MATCHES = 'search_name LIKE search_pattern($1)';
const IS_HIT = `search_grams(search_name) @> search_keys($1) AND ${MATCHES} AND deleted_at IS NULL`;
/** Written as the index has it, which no older index has. */
const IS_HIT_OF_BLOCK = `((id >> 15) | 0) = block AND ${IS_HIT}`;

/** The blocks of 32 768 ids that hold products, from the one of the highest of `products` down: each is looked for when it is read. */
const blocksOf = (products: string) => `RECURSIVE blocks AS (
    SELECT max(id) >> 15 AS block FROM ${products}
    UNION ALL
    SELECT (SELECT max(id) >> 15 FROM products WHERE id < blocks.block << 15) FROM blocks WHERE block IS NOT NULL
  )`;
/** Few hits are all at hand, and sorted. No statement here has a name: each is planned for the text that is looked for. */
const countHits = (hits: string, withBlocks = '') => `
  WITH ${withBlocks} hits AS MATERIALIZED (${hits} LIMIT ${MAX_COUNTED + 1})
  SELECT (SELECT count(*)::integer FROM hits) AS total,
         ARRAY(SELECT id FROM hits WHERE id < $2 ORDER BY id DESC OFFSET $3 LIMIT $4) AS ids`;

const COUNT_RARE = countHits(`SELECT id FROM products WHERE ${IS_HIT}`);
/** Letters are so common that the index would give most of the table for them: it is asked for a block at a time. */
const COUNT_COMMON = countHits(
  `SELECT hit.id FROM blocks CROSS JOIN LATERAL (SELECT id FROM products WHERE ${IS_HIT_OF_BLOCK} OFFSET 0) AS hit`,
  `${blocksOf('products')},`,
);

/**
 * The newest hits below an id: of its block by looking at each name, for most often they are right there, then block by block by
 * the index, fenced (`OFFSET 0`): for the sake of an order or a limit outside, PostgreSQL would go through the ids of the whole table
 * instead. They come in this order, for both parts and the blocks are gone through as they stand, and no further than is asked.
 */
const FIND = `
  WITH ${blocksOf('products WHERE id < $2')}
  SELECT id FROM (
    SELECT id FROM (
      SELECT id, search_name FROM products
      WHERE deleted_at IS NULL AND id < $2 AND id >= (SELECT block << 15 FROM blocks LIMIT 1) ORDER BY id DESC OFFSET 0
    ) AS newest WHERE ${MATCHES}
    UNION ALL
    SELECT hit.id FROM (SELECT block FROM blocks OFFSET 1) AS lower CROSS JOIN LATERAL (
      SELECT id FROM (SELECT id FROM products WHERE ${IS_HIT_OF_BLOCK} OFFSET 0) AS found ORDER BY id DESC LIMIT $3::bigint + $4
    ) AS hit
  ) AS hits OFFSET $3 LIMIT $4`;

/**
 * The ids of a page of the products whose names hold a text, which {@link normalizeSearch} gives. Case and the way in which a letter is
 * composed make no difference. `total` counts to {@link MAX_COUNTED} and stops there; the pages
 * go on to {@link MAX_OFFSET}, and links to the end. A page costs what is counted, the hits before it (none, when it is found
 * by a link), the names of two blocks, and a look into the index for each block that it passes.
 */
export async function searchProducts(
  dataSource: DataSource,
  search: string,
  { before, ...request }: PageRequest,
): Promise<FoundIds> {
  const isRare = Array.from(search).length >= MIN_RARE_LENGTH;
  const offset = before === undefined ? offsetOf(request) : 0;
  const values = [search, before ?? Number.MAX_SAFE_INTEGER, offset, request.pageSize + 1];
  const counting = { text: isRare ? COUNT_RARE : COUNT_COMMON, values };
  const [hits] = await readPrepared<{ total: number; ids: number[] }>(dataSource, counting);
  if (hits !== undefined && hits.total <= MAX_COUNTED) return foundIds(hits.total, hits.ids, request);
  if (offset >= MAX_OFFSET) return foundIds(MAX_COUNTED, [], request);
  const rows = await readPrepared<{ id: number }>(dataSource, { text: FIND, values });
  return foundIds(
    MAX_COUNTED,
    rows.map(({ id }) => id),
    request,
  );
}

/**
 * What is looked for, without the space at its ends; `undefined` when nothing else is in it. A text that has no visible difference from
 * another one finds the same.
 */
export function normalizeSearch(search: string | undefined): string | undefined {
  return search?.normalize('NFKC').trim() || undefined;
}
