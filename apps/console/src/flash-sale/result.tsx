import { count, duration } from '../format';
import type { FlashSale } from '../types';

const STEPS = {
  gathering: '500 buyers are on their way …',
  selling: 'Selling …',
  processing: 'Sold. The worker processes the orders …',
  auditing: 'All orders are done. The audit compares every unit …',
  finished: 'All is done. The sale is drawn in slow motion …',
};

/** In large letters what has happened, once the plot of it is drawn. */
export function SaleResult({ sale, isDrawn }: { readonly sale: FlashSale; readonly isDrawn: boolean }) {
  if (sale.step === 'failed') {
    return (
      <p class="failure" role="alert">
        The sale has failed: {sale.error}
      </p>
    );
  }
  if (sale.step !== 'finished' || !isDrawn) {
    return (
      <p class="sale-step" role="status">
        {STEPS[sale.step]}
      </p>
    );
  }
  return (
    <div class={`sale-result ${sale.as_promised === true ? 'good' : 'bad'}`} role="status">
      <p class="sale-line">
        <Figure>{`${count(sale.sold)} sold`}</Figure>
        <Figure>{`${count(sale.refused)} refused`}</Figure>
        <Figure>{`${count(sale.oversold)} oversold`}</Figure>
        <Figure>{`audit ${sale.audit === 'clean' ? 'clean' : 'with findings'}`}</Figure>
      </p>
      <p>
        {count(sale.buyers)} purchases in {duration(sale.sale_seconds)}, p99 {duration(sale.p99_seconds)}.{' '}
        {lostOf(sale)}
      </p>
    </div>
  );
}

function Figure({ children }: { readonly children: string }) {
  return <span>{children}</span>;
}

function lostOf(sale: FlashSale): string {
  const { sold, completed, retries, unanswered } = sale;
  const lost = completed === sold ? 'nothing was lost' : `${count(sold - completed)} are still open`;
  const again = retries === 0 ? '' : ` ${count(retries)} times a purchase was told to try again, and did.`;
  const silent = unanswered === 0 ? '' : ` ${count(unanswered)} purchases got no answer.`;
  return `${killOf(sale)}${count(completed)} of ${count(sold)} orders completed, ${lost}.${again}${silent}`;
}

function killOf({ sold, samples, worker_killed_seconds: killed }: FlashSale): string {
  if (killed === null) return '';
  const before = samples.findLast(({ seconds }) => seconds <= killed)?.completed ?? 0;
  const open = sold - before;
  return open === 0
    ? 'The worker was killed when no order was open any more. '
    : `The worker was killed while ${count(open)} orders were open, and another one took over: `;
}
