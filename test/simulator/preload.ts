/** Loaded before the entry of an API (`node --import`), which may be given a bug on purpose. Production knows none of it. */
import pg from 'pg';

export const BUGS = ['check-outside-the-lock', 'answer-before-the-flush', 'look-up-on-any-server'] as const;
export type Bug = (typeof BUGS)[number];

const { SIMULATOR_BUG: bug } = process.env;

const REWRITES: Record<Bug, (text: string) => string> = {
  'check-outside-the-lock': (text) => text.replace(/(FROM "products" .*) FOR UPDATE$/, '$1'),
  'answer-before-the-flush': (text) =>
    text.startsWith('BEGIN') ? `${text}; SET LOCAL synchronous_commit TO off` : text,
  'look-up-on-any-server': (text) => text.replace(/CASE WHEN .* = \$2 THEN/, 'CASE WHEN $2::text IS NOT NULL THEN'),
};

if (bug !== undefined && bug !== '') {
  const rewrite = REWRITES[bug as Bug];
  const { prototype } = pg.Client as unknown as { prototype: { query: (...values: unknown[]) => unknown } };
  const { query } = prototype;
  prototype.query = function (this: unknown, ...values: unknown[]) {
    const [first, ...rest] = values;
    if (typeof first === 'string') return query.call(this, rewrite(first), ...rest);
    const config = first as { text?: string; submit?: unknown };
    if (typeof config.text !== 'string' || config.submit !== undefined) return query.apply(this, values);
    return query.call(this, { ...config, text: rewrite(config.text) }, ...rest);
  };
}
