import { setTimeout as delay } from 'node:timers/promises';
import { BUYERS, type FlashSale, gatheringSale, type SaleSample, UNITS } from './flash-sale.js';
import type { PatientClient } from './patient-client.js';

const SELLING_SAMPLE_MS = 10;
const PROCESSING_SAMPLE_MS = 200;
/** Samples of each part of a sale at most: of one that is very slow, the rest is not drawn. */
const MAX_SAMPLES = 500;
const TELL_MS = 100;
/** A job whose worker has died is taken over after its lock and two checks, some twenty seconds. */
const PROCESSING_TIMEOUT_MS = 90_000;

interface Shop {
  readonly api: PatientClient;
  /** Compares stock, ledger and orders of the whole shop; true when all agree. */
  readonly audit: () => Promise<boolean>;
  /** Told of the sale whenever it has come further. */
  readonly onProgress: (sale: FlashSale) => void;
}

/**
 * Holds a flash sale: {@link BUYERS} buyers want the last {@link UNITS} units of a new product at once, by real requests, and every order is followed to its
 * end.
 *
 * @throws when the API does not answer at the beginning.
 */
export async function holdFlashSale(shop: Shop): Promise<void> {
  const productId = await createProduct(shop.api);
  await gather(shop.api, productId);
  const sale = new Sale(shop, productId);
  await sale.sell();
  await sale.follow();
  await sale.close();
}

class Sale {
  private readonly begin = performance.now();
  private readonly orders: number[] = [];
  private readonly samples: SaleSample[] = [];
  private state: FlashSale;

  constructor(
    private readonly shop: Shop,
    productId: number,
  ) {
    this.state = { ...gatheringSale(), step: 'selling', productId };
    this.tell({});
  }

  /** All buyers at once. */
  async sell(): Promise<void> {
    const seconds: number[] = [];
    const sampling = setInterval(() => this.sample(), SELLING_SAMPLE_MS);
    const telling = setInterval(() => this.tell({}), TELL_MS);
    await Promise.all(Array.from({ length: BUYERS }, async () => seconds.push(await this.buy())));
    clearInterval(sampling);
    clearInterval(telling);
    seconds.sort((a, b) => a - b);
    this.tell({
      step: 'processing',
      saleSeconds: this.elapsed(),
      p99Seconds: seconds[Math.ceil(BUYERS * 0.99) - 1] ?? null,
    });
  }

  /** Until every order has ended. */
  async follow(): Promise<void> {
    const deadline = performance.now() + PROCESSING_TIMEOUT_MS;
    const open = new Set(this.orders);
    while (open.size > 0 && performance.now() < deadline) {
      await delay(PROCESSING_SAMPLE_MS);
      const statuses = await Promise.all([...open].map(async (id) => [id, await this.statusOf(id)] as const));
      for (const [id, status] of statuses) {
        if (status === 'pending' || status === 'processing') continue;
        open.delete(id);
        if (status === 'completed') this.state = { ...this.state, completed: this.state.completed + 1 };
      }
      this.tell({});
    }
  }

  /** Counts what is left, and audits the shop. */
  async close(): Promise<void> {
    const stock = numberOf(await this.shop.api.get(`/products/${this.state.productId}`), 'stock');
    this.tell({ step: 'auditing', oversold: this.state.sold + stock - UNITS });
    const audit = (await this.shop.audit()) ? 'clean' : 'findings';
    this.tell({ step: 'finished', audit });
  }

  /** Gives how long it took, in seconds. */
  private async buy(): Promise<number> {
    const since = performance.now();
    const onRetry = () => (this.state = { ...this.state, retries: this.state.retries + 1 });
    const body = { product_id: this.state.productId };
    const answer = await this.shop.api.post('/orders', body, onRetry).catch(() => undefined);
    const seconds = (performance.now() - since) / 1_000;
    const { sold, refused, unanswered } = this.state;
    if (answer?.status === 201) {
      this.orders.push(numberOf(answer.body, 'id'));
      this.state = { ...this.state, sold: sold + 1 };
    } else if (answer?.status === 400) this.state = { ...this.state, refused: refused + 1 };
    else this.state = { ...this.state, unanswered: unanswered + 1 };
    return seconds;
  }

  /** What cannot be read is read again. */
  private async statusOf(order: number): Promise<string> {
    const body = await this.shop.api.get(`/orders/${order}/status`).catch(() => undefined);
    return typeof body === 'object' && body !== null && 'status' in body ? String(body.status) : 'pending';
  }

  private tell(change: Partial<FlashSale>): void {
    this.state = { ...this.state, ...change };
    this.sample();
    this.shop.onProgress({ ...this.state, samples: this.samples });
  }

  private sample(): void {
    const { step, sold, completed } = this.state;
    if (this.samples.length >= (step === 'selling' ? MAX_SAMPLES : 2 * MAX_SAMPLES)) return;
    this.samples.push({ seconds: this.elapsed(), stock: UNITS - sold, completed });
  }

  private elapsed(): number {
    return Math.round(performance.now() - this.begin) / 1_000;
  }
}

async function createProduct(api: PatientClient): Promise<number> {
  const name = `Flash sale ${new Date().toISOString()} (demo)`;
  const { status, body } = await api.post('/products', { name, price: 9.99, stock: UNITS });
  if (status !== 201) throw new Error(`The product of the sale was not created: status ${status}`);
  return numberOf(body, 'id');
}

/** All buyers have the page of the product open: from here on each has a connection of its own. */
async function gather(api: PatientClient, productId: number): Promise<void> {
  await Promise.all(Array.from({ length: BUYERS }, async () => api.get(`/products/${productId}`)));
}

function numberOf(body: unknown, member: string): number {
  const found = typeof body === 'object' && body !== null && Object.entries(body).find(([name]) => name === member);
  return found ? Number(found[1]) : NaN;
}
