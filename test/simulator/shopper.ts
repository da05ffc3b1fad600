import { setTimeout as delay } from 'node:timers/promises';
import { type Item, type Kind, type Model, type Operation, outcomeOf, PRICES } from './model.ts';
import type { Random } from './random.ts';
import { request } from './request.ts';

const MAX_ATTEMPTS = 6;
const LAST_ATTEMPTS = 200;
const WEIGHTS = { buy: 44, reserve: 14, confirm: 12, release: 4, cancel: 12, adjust: 8, look: 6, change: 5, list: 4 };
const LISTS = [
  '/orders?page_size=100',
  '/orders?status=completed',
  '/products?page_size=100',
  '/products?search=product',
];
/** Some do not use a key, and so may never know. */
const USES_KEY = 0.8;
const SENDS_AGAIN = 0.1;
const REUSES_KEY = 0.03;

export interface Shop {
  readonly model: Model;
  readonly urls: readonly string[];
  readonly products: readonly number[];
  /** Aborted when the shop closes. */
  readonly closing: AbortSignal;
}

/** One client after another request, each by the seed and by what was answered before. */
export class Shopper {
  private readonly shop: Shop;
  private readonly random: Random;
  private readonly name: string;
  private count = 0;

  constructor(shop: Shop, random: Random, name: string) {
    this.shop = shop;
    this.random = random;
    this.name = name;
  }

  async run(): Promise<void> {
    const { closing } = this.shop;
    while (!closing.aborted) {
      const operation = this.choose() ?? (await this.chooseChange());
      if (operation !== undefined) await this.perform(operation);
      await delay(this.random.between(0, 25));
    }
  }

  /** Sends an operation until it is settled, or the client has had enough, and at times once more. */
  private async perform(operation: Operation): Promise<void> {
    const { random } = this;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const isSettled = await send(this.shop, operation, random);
      if (isSettled || !mayBeSentAgain(operation) || this.shop.closing.aborted || random.happens(0.1)) break;
      await delay(random.between(50, 400));
    }
    if (operation.key === undefined) return;
    if (random.happens(SENDS_AGAIN)) await send(this.shop, operation, random);
    if (random.happens(REUSES_KEY) && outcomeOf(operation) !== undefined) await this.reuseKey(operation);
  }

  private choose(): Operation | undefined {
    const kind = this.random.pickWeighted(WEIGHTS);
    const orders = [...this.shop.model.orders.keys()].slice(-200);
    const reservations = [...this.shop.model.reservations.keys()].slice(-60);
    const { model, products } = this.shop;
    const begin = (more: Omit<Operation, 'kind' | 'attempts'>, uses = USES_KEY) =>
      model.begin({ kind, key: this.random.happens(uses) ? this.newKey() : undefined, ...more });
    switch (kind) {
      case 'buy': {
        const items = this.chooseItems();
        return begin({ method: 'POST', path: '/orders', body: { items }, items });
      }
      case 'reserve': {
        const items = this.chooseItems();
        const body = { items, ttl_seconds: this.random.between(1, 6) };
        return begin({ method: 'POST', path: '/reservations', body, items });
      }
      case 'confirm': {
        const subject = this.random.pick(reservations);
        return subject === undefined
          ? undefined
          : begin({ method: 'POST', path: '/orders', body: { reservation_id: subject }, subject });
      }
      case 'release': {
        const subject = this.random.pick(reservations);
        return subject === undefined
          ? undefined
          : begin({ method: 'DELETE', path: `/reservations/${subject}`, subject }, 0);
      }
      case 'cancel': {
        const subject = this.random.pick(orders);
        return subject === undefined
          ? undefined
          : begin({ method: 'POST', path: `/orders/${subject}/cancel`, subject });
      }
      case 'adjust': {
        const subject = this.random.pick(products);
        const delta = this.random.happens(0.8) ? this.random.between(1, 60) : -this.random.between(1, 20);
        const expected = this.random.happens(0.3) ? { expected_stock: this.random.between(0, 40) } : {};
        const body = { delta, reason: `${this.name} counted`, ...expected };
        return subject === undefined
          ? undefined
          : begin({ method: 'POST', path: `/products/${subject}/stock-adjustments`, body, subject }, 1);
      }
      case 'look': {
        const product = this.random.pick(products);
        if (this.random.happens(0.5)) return begin({ method: 'GET', path: `/products/${product}/cached` }, 0);
        const subject = this.random.pick(orders);
        return subject === undefined
          ? undefined
          : begin({ method: 'GET', path: `/orders/${subject}/status`, subject }, 0);
      }
      case 'change':
        return undefined;
      case 'list':
        return begin({ method: 'GET', path: this.random.pick(LISTS) ?? '' }, 0);
    }
  }

  /** Another name and price for a product as it is seen now. */
  private async chooseChange(): Promise<Operation | undefined> {
    const { model, urls, products } = this.shop;
    const subject = this.random.pick(products);
    const path = `/products/${subject}`;
    const seen = await request(this.random.pick(urls) ?? '', { method: 'GET', path });
    if (seen === 'unknown' || seen.etag === null) return undefined;
    const body = { name: `Product of ${this.name}`, price: (this.random.pick(PRICES) ?? 0) / 100 };
    return model.begin({ kind: 'change', method: 'PUT', path, body, subject, ifMatch: seen.etag });
  }

  private chooseItems(): Item[] {
    const products = this.random.shuffle(this.shop.products).slice(0, this.random.pick([1, 1, 2, 3]));
    return products.map((product_id) => ({ product_id, quantity: this.random.between(1, 3) }));
  }

  private newKey(): string {
    return `${this.name}-${++this.count}`;
  }

  /** A key that was used is refused for anything else. */
  private async reuseKey({ key, path }: Operation): Promise<void> {
    const [product_id = 0] = this.shop.products;
    const answer = await request(this.shop.urls[0] ?? '', {
      method: 'POST',
      path: '/orders',
      key,
      body: { product_id, quantity: 999_999 },
    });
    if (answer !== 'unknown' && answer.status !== 503 && answer.status !== 422) {
      this.shop.model.violations.push(`Key ${key} of ${path} was taken for another request: ${answer.status}`);
    }
  }
}

/** Sends what was never settled until it is. */
export async function settle(shop: Shop, random: Random): Promise<void> {
  const isOpen = (operation: Operation) =>
    operation.key !== undefined && operation.attempts.length > 0 && outcomeOf(operation) === undefined;
  for (let attempt = 1; attempt <= LAST_ATTEMPTS; attempt++) {
    const open = shop.model.operations.filter(isOpen);
    if (open.length === 0) return;
    for (const operation of open) await send(shop, operation, random);
    await delay(100);
  }
}

/** Sends an operation once, and gives whether it is settled. */
export async function send({ model, urls }: Shop, operation: Operation, random: Random): Promise<boolean> {
  const askedAt = performance.now();
  const known = model.orders.size;
  const answer = await request(random.pick(urls) ?? '', operation);
  if (answer !== 'unknown' && answer.status === 200 && operation.path.endsWith('/status')) {
    model.see(operation.subject ?? 0, answer.body.status, askedAt);
  }
  if (answer !== 'unknown' && answer.status === 200 && operation.kind === 'list') {
    model.violations.push(...faultsOf(operation.path, answer.body, known));
  }
  return model.record(operation, answer);
}

/** A page has each row once, the newest first; the list of all orders is not shorter than what was confirmed before. */
function faultsOf(path: string, page: { items: { id: number }[]; total: number }, known: number): string[] {
  const ids = page.items.map(({ id }) => id);
  const faults = ids.some((id, index) => index > 0 && id >= (ids[index - 1] ?? 0))
    ? [`${path} is not in order: ${ids.join()}`]
    : [];
  if (path === '/orders?page_size=100' && page.total < known) {
    faults.push(`${path} has a total of ${page.total}, and ${known} orders were confirmed before`);
  }
  return faults;
}

/** A cancellation, an adjustment without a key or a look may be; a purchase without a key would be another one. */
function mayBeSentAgain({ kind, key }: Operation): boolean {
  const repeatable: readonly Kind[] = ['look', 'cancel', 'release'];
  return key !== undefined || repeatable.includes(kind);
}
