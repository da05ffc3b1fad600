import { Histogram, type HistogramConfiguration, type LabelValues } from '@prometheus-io/client';

/** One combination of labels. */
interface Series<Label extends string> {
  readonly labels: LabelValues<Label>;
  readonly histogram: Histogram;
}

/**
 * A histogram for hot paths. Each combination of labels is a histogram without labels, which the caller keeps and observes; they are merged when
 * the registry collects. The library's own labels are looked up for each observation, which costs 460 ns instead of 60.
 */
export class SeriesHistogram<Label extends string> extends Histogram<Label> {
  private readonly series = new Map<string, Series<Label>>();

  constructor(
    private readonly configuration: HistogramConfiguration<Label>,
    private readonly maxSeries: number,
  ) {
    super(configuration);
  }

  /** The series of these labels; none when it would be one too many. */
  of(labels: LabelValues<Label>): Histogram | undefined {
    const key = JSON.stringify(labels);
    const found = this.series.get(key);
    if (found !== undefined || this.series.size >= this.maxSeries) return found?.histogram;
    const { name, help, buckets = [] } = this.configuration;
    const histogram = new Histogram({ name, help, buckets, registers: [] });
    this.series.set(key, { labels, histogram });
    return histogram;
  }

  /** It does not call the method of the library, which calls `getForPromString`. */
  override async get(): ReturnType<Histogram<Label>['get']> {
    const values = await Promise.all(
      [...this.series.values()].map(async ({ labels, histogram }) =>
        (await histogram.get()).values.map((value) => ({ ...value, labels: Object.assign({}, labels, value.labels) })),
      ),
    );
    const { name, help } = this.configuration;
    return { name, help, type: 'histogram', aggregator: 'sum', collect: () => undefined, values: values.flat() };
  }

  /** The registry asks by this name for what it prints. */
  async getForPromString(): ReturnType<Histogram<Label>['get']> {
    return this.get();
  }
}
