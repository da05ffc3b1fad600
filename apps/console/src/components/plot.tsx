import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { clock } from '../format';
import { scheme } from '../scheme';
import { type Drawing, draw } from './drawing';
import { Table } from './table';

export interface Mark {
  readonly at: number;
  readonly label: string;
}

export interface PlotProps {
  readonly title: string;
  /** In seconds, ascending. */
  readonly times: readonly number[];
  /** What is drawn, in a word. */
  readonly label: string;
  /** Of each of the times; null is a gap. */
  readonly values: readonly (number | null)[];
  /** A variable of tokens.css. */
  readonly color?: string;
  readonly format: (value: number | null) => string;
  /** The time of day unless given. */
  readonly formatTime?: (seconds: number) => string;
  /** In pixels. */
  readonly height?: number;
  /** The largest value of the axis at least. */
  readonly atLeast?: number;
  readonly marks?: readonly Mark[];
  /** Of values that are counts, so that the axis names no fractions. */
  readonly isWhole?: boolean;
  /** `stepped` for what changes in leaps. */
  readonly shape?: 'line' | 'stepped';
}

const HEIGHT = 120;

/** A line over time, with a table of the same numbers behind it. */
export function Plot(props: PlotProps) {
  const { title, times, label, values, format, formatTime = clock, height = HEIGHT, marks } = props;
  const box = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing>(null);
  const latest = useRef(props);
  latest.current = props;
  const pointed = useSignal<number | null>(null);

  useEffect(() => {
    if (box.current === null) return;
    const drawn = draw(box.current, {
      propsOf: () => latest.current,
      height,
      onPoint: (index) => (pointed.value = index),
    });
    drawing.current = drawn;
    return () => drawn.end();
  }, [scheme.value, height]);
  useEffect(() => drawing.current?.update(), [times, values, marks]);

  const at = pointed.value === null ? undefined : times[pointed.value];
  return (
    <figure class="plot">
      <div class="plot-pointed" aria-hidden="true">
        {at === undefined ? '' : `${formatTime(at)}  ${format(values[pointed.value ?? 0] ?? null)}`}
      </div>
      <div ref={box} role="img" aria-label={`${title}: ${summaryOf(props)}`} style={{ height }} />
      <details>
        <summary>
          Table<span class="hidden"> of {title}</span>
        </summary>
        <Table
          caption={title}
          columns={['Time', label]}
          rows={times.map((time, row) => [formatTime(time), format(values[row] ?? null)]).reverse()}
        />
      </details>
    </figure>
  );
}

function summaryOf({ times, label, values, format, formatTime = clock }: PlotProps): string {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return 'nothing yet';
  return `from ${formatTime(first)} to ${formatTime(last)}, at last ${label} ${format(values.at(-1) ?? null)}`;
}
