import { Failure, PageHeading } from '../../components/states';
import { FlashSalePanel } from '../../flash-sale/panel';
import { usePolled } from '../../polling';
import type { Statistics } from '../../types';
import { Health } from './health';
import { LastHour } from './last-hour';

/** The first page: how the shop is, and the last hour of it. */
export function NowPage() {
  const statistics = usePolled<Statistics>('ops/stats', 2_000);
  return (
    <>
      <PageHeading title="Now" />
      <Health />
      <FlashSalePanel />
      <Failure error={statistics.error} />
      <LastHour statistics={statistics.data} />
    </>
  );
}
