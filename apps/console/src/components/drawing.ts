import UPlot from 'uplot';
import { clock } from '../format';
import type { Mark, PlotProps } from './plot';

/** Steps of an axis of the time of day, in seconds. */
const CLOCK_STEPS = [60, 300, 600, 900, 1_800, 3_600];
const WHOLE_STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 5e5, 1e6, 1e7];

/** What stands on the canvas of a plot. */
export interface Drawing {
  /** Draws what the properties are now. */
  readonly update: () => void;
  readonly end: () => void;
}

interface DrawingOptions {
  /** Of the plot, as they are now. */
  readonly propsOf: () => PlotProps;
  readonly height: number;
  /** Told of the value that is pointed at, by its place. */
  readonly onPoint: (index: number | null) => void;
}

/** Draws a plot into an element, as wide as it is. */
export function draw(element: HTMLElement, { propsOf, height, onPoint }: DrawingOptions): Drawing {
  const plot = new UPlot(
    {
      width: element.clientWidth,
      height,
      padding: [8, 10, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { setScale: false, x: false } },
      scales: { x: { time: false }, y: { range: (_plot, _min, max) => rangeOf(max, propsOf()) } },
      axes: axesOf(propsOf()),
      series: [{}, seriesOf(propsOf())],
      hooks: {
        setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)],
        draw: [(drawn) => drawMarks(drawn, propsOf().marks ?? [])],
      },
    },
    dataOf(propsOf()),
    element,
  );
  const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
  observer.observe(element);
  return {
    update: () => plot.setData(dataOf(propsOf())),
    end: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}

function dataOf({ times, values }: PlotProps): UPlot.AlignedData {
  return [[...times], [...values]];
}

function rangeOf(max: number | null, { atLeast = 0 }: PlotProps): [number, number] {
  return [0, Math.max((max ?? 0) * 1.1, atLeast)];
}

function axesOf({ format, formatTime = clock, isWhole = false }: PlotProps): UPlot.Axis[] {
  const axis = { stroke: color('--ink-soft'), font: '11px system-ui, sans-serif', ticks: { show: false } };
  return [
    {
      ...axis,
      ...(formatTime === clock ? { incrs: CLOCK_STEPS } : {}),
      grid: { show: false },
      size: 22,
      space: 56,
      values: (_plot, splits) => splits.map(formatTime),
    },
    {
      ...axis,
      ...(isWhole ? { incrs: WHOLE_STEPS } : {}),
      grid: { stroke: color('--line'), width: 1 },
      size: 52,
      space: 34,
      values: (_plot, splits) => splits.map((value) => format(value)),
    },
  ];
}

function seriesOf({ label, color: name = '--blue', shape = 'line' }: PlotProps): UPlot.Series {
  const stroke = color(name);
  const stepped = shape === 'stepped' ? UPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    label,
    stroke,
    fill: `color-mix(in srgb, ${stroke} 14%, transparent)`,
    width: 1.75,
    // A value between two gaps is no line.
    points: { show: true, size: 4, filter: (plot: UPlot, index: number) => lonelyIn(plot.data[index] ?? []) },
    ...(stepped === undefined ? {} : { paths: stepped }),
  };
}

function lonelyIn(values: ArrayLike<number | null | undefined>): number[] {
  const isGap = (index: number) => values[index] === null || values[index] === undefined;
  const indexes = Array.from(values, (_, index) => index);
  return indexes.filter((index) => !isGap(index) && isGap(index - 1) && isGap(index + 1));
}

/** Deploys and the like: a dashed line with its name. */
function drawMarks(plot: UPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color('--ink-soft');
  ctx.setLineDash([4, 4]);
  ctx.textAlign = 'left';
  for (const { at, label } of marks) {
    const x = plot.valToPos(at, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(label, x + 4, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}

/** The value of a variable of tokens.css in the scheme of now: a canvas knows no variables. */
function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
