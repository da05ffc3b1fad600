import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { act, type ApiError, newKey } from '../api';
import { Failure } from '../components/states';
import { info } from '../info';
import { usePolled } from '../polling';
import { hrefOf } from '../route';
import type { FlashSale, List } from '../types';
import { SaleResult } from './result';
import { useReplay } from './replay';
import { SaleView } from './view';

const RUNNING_MS = 1_000;
const RESTING_MS = 60_000;

/** Buttons for a flash sale, the sale while it goes on, and how it ended. Only where it is switched on. */
export function FlashSalePanel() {
  const isOffered = info.value?.flash_sale === true;
  const { sale, error, isRunning, start } = useFlashSale(isOffered);
  if (!isOffered) return null;
  return (
    <section class="flash-sale" aria-label="Flash sale">
      <div class="flash-sale-start">
        <div>
          <h2>Flash sale</h2>
          <p>500 buyers want the last 100 of a product, all at once.</p>
        </div>
        <div class="flash-sale-buttons">
          <button type="button" class="primary large" disabled={isRunning} onClick={() => void start(false)}>
            Start the flash sale
          </button>
          {info.value?.kill_worker === true && (
            <button type="button" class="large" disabled={isRunning} onClick={() => void start(true)}>
              … and kill the worker in the middle
            </button>
          )}
        </div>
      </div>
      <Failure error={error} />
      {sale !== undefined && <Sale sale={sale} />}
    </section>
  );
}

function useFlashSale(isOffered: boolean) {
  const isRunning = useSignal(false);
  const error = useSignal<ApiError | undefined>(undefined);
  const everyMs = isRunning.value ? RUNNING_MS : RESTING_MS;
  const sales = usePolled<List<FlashSale>>(isOffered ? 'ops/flash-sales' : undefined, everyMs);
  const [sale] = sales.data?.items ?? [];
  useEffect(() => {
    isRunning.value = sale !== undefined && sale.step !== 'finished' && sale.step !== 'failed';
  }, [sale]);
  const start = async (killsWorker: boolean) => {
    error.value = undefined;
    isRunning.value = true;
    try {
      await act({ method: 'POST', path: 'ops/flash-sales', body: { kill_worker: killsWorker }, key: newKey() });
    } catch (reason) {
      error.value = reason as ApiError;
      isRunning.value = false;
    }
    sales.refresh();
  };
  return { sale, error: error.value, isRunning: isRunning.value, start };
}

function Sale({ sale }: { readonly sale: FlashSale }) {
  const { product_id: product } = sale;
  return product === null ? (
    <SaleResult sale={sale} isDrawn />
  ) : (
    <SaleOfProduct key={sale.started_at} sale={sale} product={product} />
  );
}

function SaleOfProduct({ sale, product }: { readonly sale: FlashSale; readonly product: number }) {
  const share = useReplay(sale);
  return (
    <>
      <SaleResult sale={sale} isDrawn={share === 1} />
      <SaleView sale={sale} share={share} />
      <p class="note">
        Real requests from another process, on a product made for this sale:{' '}
        <a href={hrefOf(`/products/${product}`)}>product {product}</a>.
      </p>
    </>
  );
}
