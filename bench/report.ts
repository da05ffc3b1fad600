/** What was measured, as a table for a terminal and for docs/benchmarks.md. */
import type { Result } from './contest.ts';
import type { ScalePoint } from './scale.ts';

export interface Report {
  results: readonly Result[];
  scale: readonly ScalePoint[];
  /** Orders completed a second by one worker, by `WORKER_CONCURRENCY`. */
  drains: ReadonlyMap<number, number>;
}

/** A figure, the least (or most) that is asked of it, and whether it is reached. */
export interface Verdict {
  what: string;
  figure: string;
  bar: string;
  reached: boolean;
}

const OURS = 'this system';
const NAIVE = 'one transaction an order';

export function tableOf({ results }: Report): string[][] {
  return [
    ['case', 'who', 'requests/s', 'p50 ms', 'p99 ms'],
    ...results.map(({ contest, contender, measured: { rate, p50, p99 } }) => [
      contest,
      contender,
      rate.toFixed(0),
      p50.toFixed(2),
      p99.toFixed(1),
    ]),
  ];
}

export function verdictsOf({ results, scale, drains }: Report): Verdict[] {
  const of = (contest: string, contender: string) => {
    const found = results.find((result) => result.contest === contest && result.contender === contender);
    if (found === undefined) throw new Error(`${contender} was not measured in "${contest}"`);
    return found.measured;
  };
  const pgbench = (contest: string) =>
    Math.max(
      ...results
        .filter((result) => result.contest === contest && result.contender.startsWith('pgbench'))
        .map(({ measured }) => measured.rate),
    );
  const hot = of('one hot product', OURS);
  const spread = of('100 products', OURS);
  const lone = of('a lone client', OURS);
  const emptyGet = of('reads', 'empty GET').rate;
  const ratio = (what: string, value: number, bar: number): Verdict => ({
    what,
    figure: `${value.toFixed(2)} ×`,
    bar: `≥ ${bar} ×`,
    reached: value >= bar,
  });
  const limit = (what: string, value: number, bar: number): Verdict => ({
    what,
    figure: `${value.toFixed(1)} ms`,
    bar: `≤ ${bar.toFixed(1)} ms`,
    reached: value <= bar,
  });
  return [
    ratio('hot product / pgbench at its best', hot.rate / pgbench('one hot product'), 3.5),
    ratio('hot product / one transaction an order', hot.rate / of('one hot product', NAIVE).rate, 10),
    ratio('hot product / empty POST', hot.rate / of('one hot product', 'empty POST').rate, 0.6),
    limit('hot product, p99', hot.p99, 50),
    ratio('hot product, two processes / one', of('one hot product', `${OURS}, two processes`).rate / hot.rate, 1),
    ratio(
      'hot product / without the dispatch',
      hot.rate / of('one hot product', `${OURS}, dispatching nothing`).rate,
      0.85,
    ),
    ratio('100 products / pgbench at its best', spread.rate / pgbench('100 products'), 1),
    ratio('100 products / one transaction an order', spread.rate / of('100 products', NAIVE).rate, 6),
    limit('a lone client, p50, against one transaction an order', lone.p50, of('a lone client', NAIVE).p50),
    limit('a lone client, p99, against one transaction an order', lone.p99, of('a lone client', NAIVE).p99),
    ratio(
      'sold-out product / empty POST',
      of('sold-out product', OURS).rate / of('sold-out product', 'empty POST').rate,
      0.7,
    ),
    ratio('cached product / empty GET', of('reads', 'cached product').rate / emptyGet, 0.85),
    ratio('plain product / empty GET', of('reads', 'plain product').rate / emptyGet, 0.4),
    ...[...drains].map(([concurrency, rate]) =>
      ratio(`worker, ${concurrency} orders under way / hot product`, rate / hot.rate, 0.8),
    ),
    ...scaleVerdicts(scale),
  ];
}

/** The largest list against the smallest; page 10 000 against page 1, for a short list has no page 10 000. */
function scaleVerdicts(scale: readonly ScalePoint[]): Verdict[] {
  const [small, large] = [scale[0], scale.at(-1)];
  if (small === undefined || large === undefined) return [];
  return Object.entries(large.p50).map(([name, value]) => {
    const base = small.p50[name.replace(/page.*|search.*/, 'page 1').replace('completed ', '')] ?? NaN;
    return {
      what: `${name} of ${large.products.toLocaleString('en')} products and ${large.orders.toLocaleString('en')} orders / page 1 of ${small.products.toLocaleString('en')} and ${small.orders.toLocaleString('en')}, p50`,
      figure: `${(value / base).toFixed(2)} ×`,
      bar: '≤ 3 ×',
      reached: value / base <= 3,
    };
  });
}

export function verdictTable(verdicts: readonly Verdict[]): string[][] {
  return [
    ['ratio', 'measured', 'asked', ''],
    ...verdicts.map(({ what, figure, bar, reached }) => [what, figure, bar, reached ? '✓' : '✗']),
  ];
}

/** Markdown that is a table to the eye as well. */
export function markdownTable([head = [], ...rows]: readonly string[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length), 3));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
