import {
  collectDefaultMetrics,
  type CollectFunction,
  Counter,
  Gauge,
  Histogram,
  Registry,
} from '@prometheus-io/client';
import { SeriesHistogram } from './series-histogram.js';

/** The one registry of the process, as Prometheus has it. */
export const registry = new Registry();

/** What a metric means, for whoever reads it: `npm run metrics` prints all of them. */
export interface Metric {
  /** OpenTelemetry's name in the form of Prometheus, where there is one. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Base units: seconds, bytes, or what is counted. */
  readonly unit: string;
  readonly help: string;
  /** The values that each label can have. There is no label for an id, so that the number of series has a bound. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** Series that one process makes of it at most. */
  readonly series: number;
}

type Declaration<Label extends string> = Omit<Metric, 'kind' | 'labels' | 'series'> & {
  readonly labels?: Readonly<Record<Label, readonly string[]>>;
  /** Upper bound of the combinations of labels that occur, where it is below that of all combinations. */
  readonly combinations?: number;
};

const declared: Metric[] = [];
const withoutLabels = new WeakSet<object>();

/** Every metric that was declared, by name. */
export function allMetrics(): readonly Metric[] {
  return declared.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** With `collect`, the counter is set by it whenever it is read. */
export function counter<Label extends string = never>({
  collect,
  ...declaration
}: Declaration<Label> & { readonly collect?: CollectFunction<Counter<Label>> }): Counter<Label> {
  const described = { ...declare(declaration, 'counter', 1), registers: [registry] };
  return new Counter(collect === undefined ? described : { ...described, collect });
}

/** It has no value until it is set: a process serves its metrics before it has read anything. */
export function gauge<Label extends string = never>(declaration: Declaration<Label>): Gauge<Label> {
  const made = new Gauge({ ...declare(declaration, 'gauge', 1), registers: [registry] });
  if (declaration.labels === undefined) withoutLabels.add(made);
  forget(made);
  return made;
}

/** Takes the values of a gauge out of what is told, until it is set again. */
export function forget(made: Pick<Gauge, 'remove' | 'reset'>): void {
  made.reset();
  // Without labels it would be 0 now, which is a value.
  if (withoutLabels.has(made)) made.remove();
}

/** Its upper bounds are in the unit of the metric, ascending. */
type HistogramDeclaration<Label extends string> = Declaration<Label> & { readonly buckets: readonly number[] };

export function histogram<Label extends string = never>(declaration: HistogramDeclaration<Label>): Histogram<Label> {
  return new Histogram(declareHistogram(declaration));
}

/** The same for hot paths, where a series is looked up by its caller. */
export function seriesHistogram<Label extends string>(
  declaration: HistogramDeclaration<Label> & { readonly combinations: number },
): SeriesHistogram<Label> {
  return new SeriesHistogram(declareHistogram(declaration), declaration.combinations);
}

function declareHistogram<Label extends string>({ buckets, ...declaration }: HistogramDeclaration<Label>) {
  // The bucket of everything, the sum and the count beside them.
  const described = declare(declaration, 'histogram', buckets.length + 3);
  return { ...described, buckets: [...buckets], registers: [registry] };
}

function declare<Label extends string>(
  { name, unit, help, labels, combinations }: Declaration<Label>,
  kind: Metric['kind'],
  seriesEach: number,
): { name: string; help: string; labelNames: Label[] } {
  const values: Readonly<Record<string, readonly string[]>> = labels ?? {};
  const all = Object.values(values).reduce((product, { length }) => product * length, 1);
  declared.push({ name, kind, unit, help, labels: values, series: Math.min(all, combinations ?? all) * seriesEach });
  return { name, help, labelNames: namesOf(labels) };
}

function namesOf<Label extends string>(labels: Readonly<Record<Label, readonly string[]>> | undefined): Label[] {
  const names: Label[] = [];
  for (const name in labels) names.push(name);
  return names;
}

/** Of a duration of a request, a call or a wait, in seconds. */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** From a purchase to the end of its order, in seconds. */
export const COMPLETION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 6, 7.5, 10, 15, 30, 60, 120, 300, 900, 3_600];

/** Declares what every process of Node.js tells: processor time, memory, garbage collection, the lag of its event loop. */
export function declareProcessMetrics(): void {
  if (registry.getSingleMetric('process_cpu_seconds_total') === undefined)
    collectDefaultMetrics({ register: registry });
}
