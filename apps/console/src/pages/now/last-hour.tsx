import { useMemo } from 'preact/hooks';
import { type Mark, Plot } from '../../components/plot';
import { Tile } from '../../components/tile';
import { count, duration, NONE, percent, rate } from '../../format';
import type { Statistics, Step } from '../../types';

const MINUTES = 60;

/** A minute without a record is a gap: nothing is known of it. */
type Minutes = readonly (Step | undefined)[];

/** One question of an operator, answered by a number and by the last hour. */
interface Question {
  readonly title: string;
  readonly value: (hour: Minutes, last: Step | undefined) => string;
  readonly note: (hour: Minutes) => string;
  /** What is drawn of each minute. */
  readonly series: string;
  readonly of: (step: Step) => number | null;
  readonly format: (value: number | null) => string;
  readonly atLeast: number;
  readonly isWhole?: boolean;
  readonly color?: string;
}

const QUESTIONS: readonly Question[] = [
  {
    title: 'Purchases a second',
    value: (_hour, last) => rate(last?.purchases_per_second),
    note: (hour) => `${count(sum(hour, ({ purchases }) => purchases.sold ?? 0))} in the last hour`,
    series: 'Sold, a second',
    of: (step) => step.purchases_per_second,
    format: rate,
    atLeast: 1,
  },
  {
    title: 'Time of a purchase, p99',
    value: (_hour, last) => duration(last?.purchase_p99_seconds),
    note: () => '99 of 100 are faster',
    series: 'p99',
    of: (step) => step.purchase_p99_seconds,
    format: duration,
    atLeast: 0.01,
  },
  {
    title: 'Open orders',
    value: (_hour, last) => count(last?.open_orders),
    note: (hour) => `${count(sum(hour, ({ completed }) => completed))} completed in the last hour`,
    series: 'Open',
    of: (step) => step.open_orders,
    format: count,
    atLeast: 5,
    isWhole: true,
  },
  {
    title: 'Age of the oldest open order',
    value: (_hour, last) => duration(last?.oldest_open_age_seconds),
    note: completionIn,
    series: 'Oldest',
    of: (step) => step.oldest_open_age_seconds,
    format: duration,
    atLeast: 10,
  },
  {
    title: 'Sold out',
    value: (hour) => count(sum(hour, (step) => step.stock_outs)),
    note: () => 'products, in the last hour',
    series: 'Products a minute',
    of: (step) => step.stock_outs,
    format: count,
    atLeast: 2,
    isWhole: true,
    color: '--amber',
  },
  {
    title: 'Refusals and failures',
    value: (hour) => count(sum(hour, errorsIn)),
    note: (hour) => `${count(sum(hour, (step) => step.server_errors))} of them failures of the system (5xx)`,
    series: '5xx a minute',
    of: (step) => step.server_errors,
    format: count,
    atLeast: 2,
    isWhole: true,
    color: '--red',
  },
  {
    title: 'Cache hit rate',
    value: (_hour, last) => percent(last === undefined ? null : hitRateOf(last)),
    note: (hour) => `${count(sum(hour, (step) => step.cache_hits + step.cache_misses))} reads in the last hour`,
    series: 'Hits',
    of: hitRateOf,
    format: percent,
    atLeast: 1,
  },
  {
    title: 'Connections to PostgreSQL in use',
    value: (_hour, last) => percent(last?.pool_usage),
    note: () => 'of the fullest pool',
    series: 'In use',
    of: (step) => step.pool_usage,
    format: percent,
    atLeast: 1,
  },
  {
    title: 'Workers alive',
    value: (_hour, last) => count(last?.workers_alive),
    note: () => 'the fewest of each minute',
    series: 'Workers',
    of: (step) => step.workers_alive,
    format: count,
    atLeast: 2,
    isWhole: true,
  },
  {
    title: 'Dependencies',
    value: (_hour, last) => reachedOf(last),
    note: () => "Redis of the queue; a gap is PostgreSQL's, or nothing ran",
    series: 'Reached',
    of: (step) => (step.queue_available === null ? null : Number(step.queue_available)),
    format: (value) => (value === null ? NONE : value === 0 ? 'away' : value === 1 ? 'up' : ''),
    atLeast: 1,
    isWhole: true,
  },
];

const ERRORS = 'Refusals and failures';

/** Each question with its answer now and in the last hour, deploys marked. */
export function LastHour({ statistics }: { readonly statistics: Statistics | undefined }) {
  const { times, hour, marks } = useMemo(() => hourOf(statistics), [statistics]);
  const last = hour.findLast((step) => step !== undefined);
  return (
    <section class="tiles" aria-label="The last hour">
      {QUESTIONS.map(({ title, value, note, series, of, color = '--blue', ...same }) => {
        const values = hour.map((step) => (step === undefined ? null : of(step)));
        return (
          <Tile key={title} title={title} value={value(hour, last)} note={note(hour)}>
            {title === ERRORS && <ErrorsByCode hour={hour} />}
            <Plot {...same} title={title} times={times} marks={marks} label={series} color={color} values={values} />
          </Tile>
        );
      })}
    </section>
  );
}

function ErrorsByCode({ hour }: { readonly hour: Minutes }) {
  const counts = new Map<string, number>();
  for (const step of hour) {
    for (const [code, each] of Object.entries(step?.errors ?? {})) counts.set(code, (counts.get(code) ?? 0) + each);
  }
  if (counts.size === 0) return null;
  return (
    <ul class="codes" aria-label="Responses by error code, in the last hour">
      {[...counts]
        .sort(([, a], [, b]) => b - a)
        .map(([code, each]) => (
          <li key={code}>
            <code>{code}</code> {count(each)}
          </li>
        ))}
    </ul>
  );
}

function sum(hour: Minutes, of: (step: Step) => number): number {
  return hour.reduce((total, step) => total + (step === undefined ? 0 : of(step)), 0);
}

function errorsIn({ errors }: Step): number {
  return Object.values(errors).reduce((total, each) => total + each, 0);
}

function hitRateOf({ cache_hits: hits, cache_misses: misses }: Step): number | null {
  return hits + misses === 0 ? null : hits / (hits + misses);
}

function reachedOf(last: Step | undefined): string {
  if (last === undefined) return NONE;
  return last.queue_available === false ? 'queue away' : 'up';
}

function completionIn(hour: Minutes): string {
  const last = hour.findLast((step) => typeof step?.completion_p99_seconds === 'number');
  return last === undefined
    ? 'None was completed in the last hour'
    : `Completed within ${duration(last.completion_p99_seconds)}, p99 at last`;
}

/** Every minute of the hour, and the deploys: where the version has changed. */
function hourOf(statistics: Statistics | undefined): { times: number[]; hour: Minutes; marks: Mark[] } {
  if (statistics === undefined) return { times: [], hour: [], marks: [] };
  const byTime = new Map(statistics.items.map((step) => [Date.parse(step.at) / 1_000, step]));
  const end = Math.floor(Date.parse(statistics.to) / 60_000) * 60;
  const times = Array.from({ length: MINUTES + 1 }, (_, index) => end - (MINUTES - index) * 60);
  const marks = statistics.items.flatMap(({ at, version }, index) => {
    const before = statistics.items[index - 1];
    return before === undefined || before.version === version ? [] : [{ at: Date.parse(at) / 1_000, label: version }];
  });
  return { times, hour: times.map((time) => byTime.get(time)), marks };
}
