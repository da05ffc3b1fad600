/** Line charts as SVG that can be read on a light and on a dark page. */
export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  title: string;
  xLabel: string;
  yLabel: string;
  series: readonly Series[];
  /** The x axis is logarithmic; this makes the y axis so, too. */
  logY?: boolean;
}

const WIDTH = 760;
const HEIGHT = 400;
const MARGIN = { top: 44, right: 40, bottom: 52, left: 76 };
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#e08214', '#17a2b8', '#7f7f7f'];

export function lineChart({ title, xLabel, yLabel, series, logY = false }: Chart): string {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
  const ticks = logY ? decades(Math.min(...ys), Math.max(...ys)) : steps(Math.max(...ys));
  const x = scale([xs[0] ?? 1, xs.at(-1) ?? 1], [MARGIN.left, WIDTH - MARGIN.right], true);
  const y = scale([ticks[0] ?? 0, ticks.at(-1) ?? 1], [HEIGHT - MARGIN.bottom, MARGIN.top], logY);
  const right = WIDTH - MARGIN.right;
  const grid = ticks.map(
    (tick) =>
      `<line x1="${MARGIN.left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/>` +
      text([MARGIN.left - 8, y(tick) + 4], number(tick), 'end'),
  );
  const xTicks = xs.map((tick) => text([x(tick), HEIGHT - MARGIN.bottom + 18], number(tick), 'middle'));
  const lines = series.map(({ points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ');
    const dots = points.map(([px, py]) => `<circle cx="${x(px)}" cy="${y(py)}" r="3" fill="${colour}"/>`).join('');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}`;
  });
  const legend = series.map(({ name }, index) => {
    const top = MARGIN.top + 8 + index * 18;
    const colour = COLOURS[index % COLOURS.length];
    return `<rect x="${MARGIN.left + 12}" y="${top - 9}" width="12" height="10" fill="${colour}"/>${text([MARGIN.left + 30, top], name, 'start')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${WIDTH / 2}" y="24" text-anchor="middle" font-size="15" fill="#222">${title}</text>`,
    ...grid,
    ...xTicks,
    text([(MARGIN.left + right) / 2, HEIGHT - 12], xLabel, 'middle'),
    `<text transform="translate(16 ${(HEIGHT - MARGIN.bottom + MARGIN.top) / 2}) rotate(-90)" text-anchor="middle" fill="#444">${yLabel}</text>`,
    ...lines,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

function scale(
  domain: readonly [number, number],
  range: readonly [number, number],
  log: boolean,
): (value: number) => number {
  const map = log ? Math.log : (value: number) => value;
  const span = map(domain[1]) - map(domain[0]) || 1;
  return (value) => Math.round((range[0] + ((map(value) - map(domain[0])) / span) * (range[1] - range[0])) * 10) / 10;
}

function steps(max: number): number[] {
  const rough = max / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => index * step);
}

function decades(min: number, max: number): number[] {
  const [from, to] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 }).replaceAll(',', ' ');
}

function text([x, y]: readonly [number, number], content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#444">${content}</text>`;
}
