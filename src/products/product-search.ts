import type { DataSource } from 'typeorm';
import { offsetOf, type PageRequest } from '../common/page.js';
import { readPrepared } from '../database/prepared-statement.js';
import { type FoundIds, foundIds } from '../database/row-counts.js';

/** As many hits are counted, and reached by the number of a page; links reach all of them. */
const MAX_COUNTED = 10_000;
/** The indexes of names know in which block of 32 768 ids a product is. */
const BLOCK = 'id >> 15';

/** What the index of trigrams can look for; anything else is looked for by its letters and pairs of them. */
const TRIGRAM = /[\p{L}\p{N}]{3}/u;
const BY_TRIGRAMS = 'name ILIKE $1 AND deleted_at IS NULL';
const BY_GRAMS = `${BY_TRIGRAMS} AND name_grams(name) @> name_grams($5)`;

/** Hits from the block of the highest id down, as long as somebody reads them. */
const hitsByBlock = (highest: string, hitsOf: string) => `
  SELECT hit.id FROM generate_series(${highest}, 0, -1) AS block CROSS JOIN LATERAL (${hitsOf}) AS hit`;

/** Few hits are all at hand, and sorted. No statement here has a name: each is planned for the text that is looked for. */
const countHits = (hits: string) => `
  WITH hits AS MATERIALIZED (${hits} LIMIT ${MAX_COUNTED + 1})
  SELECT (SELECT count(*)::integer FROM hits) AS total,
         ARRAY(SELECT id FROM hits WHERE id < $2 ORDER BY id DESC OFFSET $3 LIMIT $4) AS ids`;

const COUNT_BY_TRIGRAMS = countHits(`SELECT id FROM products WHERE ${BY_TRIGRAMS}`);
/** Letters are so common that the index would give most of the table for them: it is asked for a block at a time. */
const COUNT_BY_GRAMS = countHits(
  hitsByBlock(
    '(SELECT max(id) >> 15 FROM products)',
    `SELECT id FROM products WHERE ${BLOCK} = block AND ${BY_GRAMS} OFFSET 0`,
  ),
);

/** The newest hits below an id: of its block by looking at each name, for most often they are right there, then by the index. */
const findHits = (isHit: string) => `
  WITH first AS MATERIALIZED (SELECT max(id) >> 15 AS block FROM products WHERE id < $2)
  SELECT id FROM (
    SELECT id FROM (
      SELECT id, name FROM products
      WHERE deleted_at IS NULL AND id < $2 AND id >= (SELECT block << 15 FROM first) ORDER BY id DESC OFFSET 0
    ) AS newest WHERE name ILIKE $1
    UNION ALL
    ${hitsByBlock(
      '(SELECT block - 1 FROM first)',
      `SELECT id FROM products WHERE ${BLOCK} = block AND ${isHit} ORDER BY id DESC LIMIT $3::bigint + $4`,
    )}
  ) AS hits OFFSET $3 LIMIT $4`;

/**
 * The ids of a page of the products whose names hold a text. `total` counts to {@link MAX_COUNTED} and stops there; pages beyond
 * are empty, like any page after the last, and links go on. So no page costs more than so many hits, the names of two blocks,
 * and a look into the index for each block of ids.
 */
export async function searchProducts(
  dataSource: DataSource,
  search: string,
  { before, ...request }: PageRequest & { before?: number },
): Promise<FoundIds> {
  const byTrigrams = TRIGRAM.test(search);
  const offset = before === undefined ? offsetOf(request) : 0;
  const values = [
    `%${escapeLike(search)}%`,
    before ?? Number.MAX_SAFE_INTEGER,
    offset,
    request.page_size + 1,
    ...(byTrigrams ? [] : [search]),
  ];
  const counting = { text: byTrigrams ? COUNT_BY_TRIGRAMS : COUNT_BY_GRAMS, values };
  const [hits] = await readPrepared<{ total: number; ids: number[] }>(dataSource, counting);
  if (hits !== undefined && hits.total <= MAX_COUNTED) return foundIds(hits.total, hits.ids, request);
  if (offset >= MAX_COUNTED) return foundIds(MAX_COUNTED, [], request);
  const finding = { text: findHits(byTrigrams ? BY_TRIGRAMS : BY_GRAMS), values };
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
