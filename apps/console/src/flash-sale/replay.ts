import { useEffect, useState } from 'preact/hooks';
import type { FlashSale } from '../types';

/** The sale itself takes a fraction of a second, so its plot is drawn more slowly. */
const REPLAY_MS = 2_500;

/** From 0 to 1 while the sale is drawn; 1 at once for a sale that was over when the page came, or where motion is not wanted. */
export function useReplay({ step }: FlashSale): number {
  const [begin] = useState(() => (step === 'finished' || isStill() ? -Infinity : performance.now()));
  const [now, setNow] = useState(() => performance.now());
  const share = Math.min(Math.max((now - begin) / REPLAY_MS, 0), 1);
  useEffect(() => {
    if (share >= 1) return;
    const frame = requestAnimationFrame(setNow);
    return () => cancelAnimationFrame(frame);
  }, [now]);
  // Where frames come with the same moment twice, no further one is asked for.
  useEffect(() => {
    const end = setTimeout(() => setNow(Infinity), REPLAY_MS);
    return () => clearTimeout(end);
  }, []);
  return share;
}

function isStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
