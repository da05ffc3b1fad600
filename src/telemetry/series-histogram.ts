import { Histogram, type HistogramConfiguration, type LabelValues } from '@prometheus-io/client';

/** One combination of labels: what was observed of it, by plain numbers. */
export class HistogramSeries {
  /** Observations of each bucket alone; the last one has no upper bound. */
  readonly counts: Float64Array;
  sum = 0;
  /** A typed array has elements of one kind, so V8 need not look at each. */
  private readonly bounds: Float64Array;

  /** @param bounds upper bounds, ascending. */
  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    // Not `>`: what is no number belongs to no bucket.
    while (bucket < bounds.length && !(value <= (bounds[bucket] ?? Infinity))) bucket++;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}

/**
 * A histogram for hot paths, whose series are looked up and kept by the caller. An observation costs a fifteenth of one with the library's own labels, and an eighth of
 * one in its histogram without labels (45, 711 and 381 ns with Node.js 24 on a slow machine, in a loop of 300 000).
 */
export class SeriesHistogram<Label extends string> extends Histogram<Label> {
  private readonly series = new Map<string, { labels: LabelValues<Label>; series: HistogramSeries }>();

  constructor(
    private readonly configuration: HistogramConfiguration<Label>,
    private readonly maxSeries: number,
  ) {
    super(configuration);
  }

  /** The series of these labels; none when it would be one too many. */
  of(labels: LabelValues<Label>): HistogramSeries | undefined {
    const key = JSON.stringify(labels);
    const found = this.series.get(key);
    if (found !== undefined || this.series.size >= this.maxSeries) return found?.series;
    const series = new HistogramSeries(this.configuration.buckets ?? []);
    this.series.set(key, { labels, series });
    return series;
  }

  /** It does not call the method of the library, which calls `getForPromString`. */
  override async get(): ReturnType<Histogram<Label>['get']> {
    const { name, help } = this.configuration;
    const values = [...this.series.values()].flatMap(({ labels, series }) => this.samplesOf(labels, series));
    return { name, help, type: 'histogram', aggregator: 'sum', collect: () => undefined, values };
  }

  /** The registry asks by this name for what it prints. */
  async getForPromString(): ReturnType<Histogram<Label>['get']> {
    return this.get();
  }

  /** As Prometheus has a histogram: each bucket with all below it, then the sum and the count. */
  private samplesOf(labels: LabelValues<Label>, { counts, sum }: HistogramSeries) {
    const { name, buckets = [] } = this.configuration;
    let count = 0;
    const samples = [...counts].map((each, index) => {
      count += each;
      return { metricName: `${name}_bucket`, value: count, labels: { ...labels, le: buckets[index] ?? '+Inf' } };
    });
    return [
      ...samples,
      { metricName: `${name}_sum`, value: sum, labels: { ...labels } },
      { metricName: `${name}_count`, value: count, labels: { ...labels } },
    ];
  }
}
