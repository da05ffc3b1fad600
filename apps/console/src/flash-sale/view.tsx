import { useMemo } from 'preact/hooks';
import { Plot } from '../components/plot';
import { Tile } from '../components/tile';
import { count, duration } from '../format';
import type { FlashSale } from '../types';

const SALE_PLOT = { height: 180, shape: 'stepped', isWhole: true, format: count, formatTime: duration } as const;

interface Drawn {
  readonly sale: FlashSale;
  /** How much of the sale is drawn, of 1. */
  readonly share: number;
}

/** The stock while it falls, and the orders while they are processed. */
export function SaleView({ sale, share }: Drawn) {
  return (
    <div class="sale-plots">
      <Selling sale={sale} share={share} />
      <Processing sale={sale} />
    </div>
  );
}

function Selling({ sale, share }: Drawn) {
  const sold = useMemo(() => sellingOf(sale), [sale]);
  const end = sale.sale_seconds ?? sold.at(-1)?.seconds ?? 0;
  const shown = useMemo(() => sold.filter(({ seconds }) => seconds <= end * share), [sold, end, share]);
  // The axis is that of the whole sale from the beginning.
  const axis = useMemo(() => [...shown, { seconds: end, stock: null }], [shown, end]);
  const note = sale.sale_seconds === null ? 'selling' : `sold within ${duration(end)}, drawn in slow motion`;
  return (
    <Tile title="Units left" value={count(shown.at(-1)?.stock ?? sale.units)} note={note}>
      <Plot
        {...SALE_PLOT}
        title="Units left during the sale"
        atLeast={sale.units}
        times={axis.map(({ seconds }) => seconds)}
        label="Units"
        values={axis.map(({ stock }) => stock)}
      />
    </Tile>
  );
}

function Processing({ sale }: { readonly sale: FlashSale }) {
  const { samples, sale_seconds: begin, worker_killed_seconds: killed, completed, sold, units } = sale;
  const processed = begin === null ? [] : samples.filter(({ seconds }) => seconds >= begin);
  const note = killed === null ? 'by the worker' : `the worker was killed after ${duration(killed)}`;
  return (
    <Tile title="Orders completed" value={`${count(completed)} of ${count(sold)}`} note={note}>
      <Plot
        {...SALE_PLOT}
        title="Orders completed"
        color="--green"
        atLeast={units}
        times={processed.map(({ seconds }) => seconds)}
        label="Completed"
        values={processed.map((sample) => sample.completed)}
        marks={killed === null ? [] : [{ at: killed, label: 'killed' }]}
      />
    </Tile>
  );
}

function sellingOf({ samples, sale_seconds: seconds }: FlashSale) {
  return seconds === null ? samples : samples.filter((sample) => sample.seconds <= seconds);
}
