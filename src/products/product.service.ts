import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { ProductCache } from './product-cache.js';
import { Batcher } from '../runtime/batcher.js';
import { requireMatch } from '../http/conditional-request.js';
import { parseCents } from '../kernel/money.js';
import { type Listing, toPage } from '../http/paging/page.js';
import type { TextAnswer } from '../http/text-answer.js';
import { LIMITS } from '../config/limits.js';
import { readPrepared } from '../database/prepared-statement.js';
import { type CountedList, RowCounts } from '../database/row-counts.js';
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
import { ProductNotFoundError } from '../stock/product-not-found.error.js';
import { searchProducts } from './product-search.js';
import { lockProduct, setStock } from '../stock/stock-adjustment.js';

/** Reads that arrive while others are under way are loaded together, each product once. */
const BATCHING = () => ({
  maxBatchSize: 500,
  maxInFlight: 2,
  maxWaiting: LIMITS.readsWaiting,
  maxWaitMs: LIMITS.readTurnMs,
});

const PRODUCTS: CountedList = { name: 'products', counts: ['products'], rows: 'products WHERE deleted_at IS NULL' };

/** The catalogue. What it changes is dropped from the cache after the change is committed, never before. */
@Injectable()
export class ProductService {
  private readonly reads = new Batcher<number, ProductDocument>((ids) => this.load(ids), BATCHING());

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

  /** With `search`, as {@link searchProducts} has it. */
  async list({ search, ...request }: ListProductsQuery): Promise<Listing<LiveProduct>> {
    const { dataSource } = this.products.manager;
    const found =
      search === undefined ? this.counts.page(PRODUCTS, request) : searchProducts(dataSource, search, request);
    const { total, ids, next } = await found;
    const rows = await readPrepared<ProductRow>(dataSource, selectProducts(ids));
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
