import type { DataSource } from 'typeorm';
import { offsetOf, type PageRequest } from '../kernel/page.js';
import { readPrepared } from '../database/prepared-statement.js';
import { type FoundIds, foundIds } from '../database/row-counts.js';

/** As many hits of a search are counted. */
export const MAX_COUNTED = 10_000;
/** As many are reached by the number of a page, which reads all before it; links lead to the others. */
export const MAX_OFFSET = 100_000;

/** What the index of trigrams can look for; anything else is looked for by its letters and pairs of them. */
const TRIGRAM = /[\p{L}\p{N}]{3}/u;
const BY_TRIGRAMS = 'name ILIKE $1 AND deleted_at IS NULL';
const BY_GRAMS = `${BY_TRIGRAMS} AND name_grams(name) @> name_grams($5)`;
/**
 * The same number, said in two ways: so PostgreSQL does not take the one index for the block and look at each name instead of the
 * other.
 */
const OF_BLOCK_BY_TRIGRAMS = `id >> 15 = block AND ${BY_TRIGRAMS}`;
const OF_BLOCK_BY_GRAMS = `id / 32768 = block AND ${BY_GRAMS}`;

/** The blocks of 32 768 ids that hold products, from the one of the highest of `products` down: each is looked for when it is read. */
const blocksOf = (products: string) => `RECURSIVE blocks AS (
    SELECT max(id) >> 15 AS block FROM ${products}
    UNION ALL
    SELECT (SELECT max(id) >> 15 FROM products WHERE id < blocks.block << 15) FROM blocks WHERE block IS NOT NULL
  )`;
/**
 * The hits of a block by the indexes of names, which know the block as well. Fenced (`OFFSET 0`): for the sake of an order or a
 * limit outside, PostgreSQL would go through the ids of the whole table instead.
 */
const hitsOfBlock = (isHit: string) => `SELECT id FROM products WHERE ${isHit} OFFSET 0`;

/** Few hits are all at hand, and sorted. No statement here has a name: each is planned for the text that is looked for. */
const countHits = (hits: string, withBlocks = '') => `
  WITH ${withBlocks} hits AS MATERIALIZED (${hits} LIMIT ${MAX_COUNTED + 1})
  SELECT (SELECT count(*)::integer FROM hits) AS total,
         ARRAY(SELECT id FROM hits WHERE id < $2 ORDER BY id DESC OFFSET $3 LIMIT $4) AS ids`;

const COUNT_BY_TRIGRAMS = countHits(`SELECT id FROM products WHERE ${BY_TRIGRAMS}`);
/** Letters are so common that the index would give most of the table for them: it is asked for a block at a time. */
const COUNT_BY_GRAMS = countHits(
  `SELECT hit.id FROM blocks CROSS JOIN LATERAL (${hitsOfBlock(OF_BLOCK_BY_GRAMS)}) AS hit`,
  `${blocksOf('products')},`,
);

/**
 * The newest hits below an id: of its block by looking at each name, for most often they are right there, then block by block by
 * the index. They come in this order, for both parts and the blocks are gone through as they stand, and no further than is asked.
 */
const findHits = (isHit: string) => `
  WITH ${blocksOf('products WHERE id < $2')}
  SELECT id FROM (
    SELECT id FROM (
      SELECT id, name FROM products
      WHERE deleted_at IS NULL AND id < $2 AND id >= (SELECT block << 15 FROM blocks LIMIT 1) ORDER BY id DESC OFFSET 0
    ) AS newest WHERE name ILIKE $1
    UNION ALL
    SELECT hit.id FROM (SELECT block FROM blocks OFFSET 1) AS lower CROSS JOIN LATERAL (
      SELECT id FROM (${hitsOfBlock(isHit)}) AS found ORDER BY id DESC LIMIT $3::bigint + $4
    ) AS hit
  ) AS hits OFFSET $3 LIMIT $4`;

/**
 * The ids of a page of the products whose names hold a text. `total` counts to {@link MAX_COUNTED} and stops there; the pages
 * go on to {@link MAX_OFFSET}, and links to the end. A page costs what is counted, the hits before it (none, when it is found
 * by a link), the names of two blocks, and a look into the index for each block that it passes.
 */
export async function searchProducts(
  dataSource: DataSource,
  search: string,
  { before, ...request }: PageRequest,
): Promise<FoundIds> {
  const byTrigrams = TRIGRAM.test(search);
  const offset = before === undefined ? offsetOf(request) : 0;
  const values = [
    `%${escapeLike(search)}%`,
    before ?? Number.MAX_SAFE_INTEGER,
    offset,
    request.pageSize + 1,
    ...(byTrigrams ? [] : [search]),
  ];
  const counting = { text: byTrigrams ? COUNT_BY_TRIGRAMS : COUNT_BY_GRAMS, values };
  const [hits] = await readPrepared<{ total: number; ids: number[] }>(dataSource, counting);
  if (hits !== undefined && hits.total <= MAX_COUNTED) return foundIds(hits.total, hits.ids, request);
  if (offset >= MAX_OFFSET) return foundIds(MAX_COUNTED, [], request);
  const finding = { text: findHits(byTrigrams ? OF_BLOCK_BY_TRIGRAMS : OF_BLOCK_BY_GRAMS), values };
  const rows = await readPrepared<{ id: number }>(dataSource, finding);
  return foundIds(
    MAX_COUNTED,
    rows.map(({ id }) => id),
    request,
  );
}

/** Makes a text match itself in `LIKE`: `%`, `_` and `\` lose their meaning. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
