import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { ProductCache } from '../cache/product-cache.js';
import { Batcher } from '../common/batcher.js';
import { requireMatch } from '../common/conditional-request.js';
import { parseCents } from '../common/money.js';
import { type Listing, offsetOf, toPage } from '../common/page.js';
import type { PageQuery } from '../common/page.query.js';
import type { TextAnswer } from '../common/text-answer.js';
import { readPrepared } from '../database/prepared-statement.js';
import { type CountedList, type FoundIds, foundIds, RowCounts } from '../database/row-counts.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import type { CreateProductDto } from './dto/create-product.dto.js';
import type { ListProductsQuery } from './dto/list-products.query.js';
import { ProductResponse } from './dto/product.response.js';
import type { UpdateProductDto } from './dto/update-product.dto.js';
import { documentOf, packDocument, type ProductDocument, unpackDocument } from './product-document.js';
import { Product } from './product.entity.js';
import { type LiveProduct, type ProductRow, selectProducts, toProduct } from './product-row.js';
import { ProductNotFoundError } from './product-not-found.error.js';
import { lockProduct, setStock } from './stock-adjustment.js';

/** Reads that arrive while others are under way are loaded together, each product once. */
const BATCHING = { maxBatchSize: 500, maxInFlight: 1, maxWaiting: 5_000, maxWaitMs: 1_000 };

const PRODUCTS: CountedList = { name: 'products', counts: ['products'], rows: 'products WHERE deleted_at IS NULL' };

/** As many hits of a search are counted. */
const MAX_COUNTED = 10_000;
const HITS = 'products WHERE name ILIKE $1 AND deleted_at IS NULL';
/** Without a name and so planned for the text that is looked for: the index is of use for a rare one only. */
const countHits = (hits: string) => `
  WITH hits AS MATERIALIZED (SELECT id FROM ${hits} LIMIT ${MAX_COUNTED + 1})
  SELECT (SELECT count(*)::integer FROM hits) AS total,
         ARRAY(SELECT id FROM hits WHERE id < $2 ORDER BY id DESC OFFSET $3 LIMIT $4) AS ids`;
/** What the index of trigrams can look for; anything else is looked for by its letters and pairs of them. */
const TRIGRAM = /[\p{L}\p{N}]{3}/u;
const HITS_BY_GRAMS = `${HITS} AND name_grams(name) @> name_grams($5)`;
const FIND_HITS = `SELECT id FROM ${HITS} AND id < $2 ORDER BY id DESC OFFSET $3 LIMIT $4`;

/** The catalogue. What it changes is dropped from the cache after the change is committed, never before. */
@Injectable()
export class ProductService {
  private readonly reads = new Batcher<number, ProductDocument>((ids) => this.load(ids), BATCHING);

  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    private readonly cache: ProductCache,
    private readonly transactions: TransactionRunner,
    private readonly counts: RowCounts,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** The database records the initial stock. */
  async create({ name, price, stock }: CreateProductDto, request?: IdempotentRequest): Promise<TextAnswer> {
    return this.idempotency.run(request, async (manager) => {
      const product = this.products.create({ name, price: parseCents(String(price)), stock });
      return ProductResponse.of(await manager.save(product));
    });
  }

  /** With `search`, `total` counts to {@link MAX_COUNTED} and stops there; the pages go on. */
  async list({ search, ...request }: ListProductsQuery): Promise<Listing<LiveProduct>> {
    const found = search === undefined ? this.counts.page(PRODUCTS, request) : this.search(search, request);
    const { total, ids, next } = await found;
    const rows = await readPrepared<ProductRow>(this.products.manager.dataSource, selectProducts(ids));
    const products = rows.map(toProduct).sort((a, b) => b.id - a.id);
    return { page: toPage(products, total, request), next };
  }

  /**
   * A product from the database.
   *
   * @throws ProductNotFoundError
   * @throws OverloadedError when too many reads wait.
   */
  async get(id: number): Promise<ProductDocument> {
    return this.reads.submit(id);
  }

  /**
   * The same through the cache. It may be old by a moment and never older than the cache's TTL, so nothing may be
   * decided from it.
   *
   * @throws ProductNotFoundError
   */
  async getCached(id: number): Promise<ProductDocument> {
    return unpackDocument(await this.cache.read(id, async () => packDocument(await this.get(id))));
  }

  /**
   * Changes the given fields and leaves the others, under the row's lock: a sale in between is not written over. A stock that
   * differs is an adjustment. With `ifMatch` nothing is changed that the caller has not seen.
   *
   * @throws ProductNotFoundError, PreconditionFailedError
   */
  async update(id: number, { name, price, stock }: UpdateProductDto, ifMatch?: string): Promise<ProductDocument> {
    return this.change(id, async (manager) => {
      const product = await lockProduct(manager, id);
      requireMatch(ifMatch, () => documentOf(product).etag);
      if (stock !== undefined) await setStock(manager, product, { stock, reason: 'set by PUT' });
      product.name = name ?? product.name;
      product.price = price === undefined ? product.price : parseCents(String(price));
      return documentOf(await manager.save(product));
    });
  }

  /**
   * Takes a product out of the catalogue. Its row stays for the orders that hold it.
   *
   * @throws ProductNotFoundError, PreconditionFailedError
   */
  async remove(id: number, ifMatch?: string): Promise<void> {
    await this.change(id, async (manager) => {
      const product = await lockProduct(manager, id);
      requireMatch(ifMatch, () => documentOf(product).etag);
      await manager.softRemove(product);
    });
  }

  /**
   * A search with few hits has them all at hand, and sorts them; one with more than are counted is so common that its page is
   * soon found from the newest product down.
   */
  private async search(search: string, { before, ...request }: PageQuery): Promise<FoundIds> {
    const { dataSource } = this.products.manager;
    const values = [
      `%${escapeLike(search)}%`,
      before ?? Number.MAX_SAFE_INTEGER,
      before === undefined ? offsetOf(request) : 0,
      request.page_size + 1,
    ];
    const counting = TRIGRAM.test(search)
      ? { text: countHits(HITS), values }
      : { text: countHits(HITS_BY_GRAMS), values: [...values, search] };
    const [hits] = await readPrepared<{ total: number; ids: number[] }>(dataSource, counting);
    if (hits !== undefined && hits.total <= MAX_COUNTED) return foundIds(hits.total, hits.ids, request);
    const rows = await readPrepared<{ id: number }>(dataSource, { text: FIND_HITS, values });
    return foundIds(
      MAX_COUNTED,
      rows.map(({ id }) => id),
      request,
    );
  }

  private async load(ids: readonly number[]): Promise<PromiseSettledResult<ProductDocument>[]> {
    const rows = await readPrepared<ProductRow>(this.products.manager.dataSource, selectProducts([...new Set(ids)]));
    const documents = new Map(rows.map((row) => [row.id, documentOf(toProduct(row))]));
    return ids.map((id) => {
      const value = documents.get(id);
      return value === undefined
        ? { status: 'rejected', reason: new ProductNotFoundError(id) }
        : { status: 'fulfilled', value };
    });
  }

  /** Drops the cached product also when the change failed: its outcome may be unknown, and a drop does no harm. */
  private async change<T>(id: number, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.transactions.run(work);
    } finally {
      await this.cache.drop([id]);
    }
  }
}

/** Makes a text match itself in `LIKE`: `%`, `_` and `\` lose their meaning. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
