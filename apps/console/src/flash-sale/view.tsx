import { useEffect, useMemo, useState } from 'preact/hooks';
import { Plot } from '../components/plot';
import { Tile } from '../components/tile';
import { count, duration } from '../format';
import type { FlashSale } from '../types';

/** The sale itself takes a fraction of a second, so its plot is drawn more slowly. */
const REPLAY_MS = 2_500;
const SALE_PLOT = { height: 180, shape: 'stepped', isWhole: true, format: count, formatTime: duration } as const;

/** The stock while it falls, and the orders while they are processed. */
export function SaleView({ sale }: { readonly sale: FlashSale }) {
  return (
    <div class="sale-plots">
      <Selling sale={sale} />
      <Processing sale={sale} />
    </div>
  );
}

function Selling({ sale }: { readonly sale: FlashSale }) {
  const sold = useMemo(() => sellingOf(sale), [sale]);
  const end = sale.sale_seconds ?? sold.at(-1)?.seconds ?? 0;
  const share = useReplay(sale);
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

/** From 0 to 1 while the sale is drawn; 1 at once for a sale that was over when the page came, or where motion is not wanted. */
function useReplay({ step }: FlashSale): number {
  const [begin] = useState(() => (step === 'finished' || isStill() ? -Infinity : performance.now()));
  const [now, setNow] = useState(() => performance.now());
  const share = Math.min(Math.max((now - begin) / REPLAY_MS, 0), 1);
  useEffect(() => {
    if (share >= 1) return;
    const frame = requestAnimationFrame(setNow);
    return () => cancelAnimationFrame(frame);
  }, [now]);
  return share;
}

function isStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
