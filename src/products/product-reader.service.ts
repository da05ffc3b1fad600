import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { ListReads, type PageRead } from '../database/lists/list-reads.js';
import { type CountedList, RowCounts } from '../database/lists/row-counts.js';
import { fulfilled, type Outcome, rejected } from '../kernel/outcome.js';
import type { Listing, PageRequest } from '../kernel/page.js';
import { Batcher } from '../runtime/batching/batcher.js';
import { withTimeBudget } from '../runtime/request-context.js';
import { ProductNotFoundError } from '../stock/stock.errors.js';
import { type LiveProduct, type ProductRow, selectProducts, toProduct } from './product-row.js';
import { normalizeSearch, searchProducts } from './product-search.js';

/** Reads that arrive while others are under way are loaded together, each product once. */
const BATCHING = () => ({
  maxBatchSize: 500,
  maxInFlight: 3,
  overlapAfterMs: 20,
  maxWaiting: LIMITS.readsWaiting,
  maxWaitMs: LIMITS.readTurnMs,
});

const PRODUCTS: CountedList = { name: 'products', counts: ['products'], rows: 'products WHERE deleted_at IS NULL' };

/** The catalogue as it stands in the database. */
@Injectable()
export class ProductReaderService {
  private readonly reads = new Batcher<number, LiveProduct>(
    (ids) => withTimeBudget(LIMITS.answerMs - LIMITS.readTurnMs, () => this.load(ids)),
    BATCHING(),
  );

  private readonly pages: PageRead<Listing<LiveProduct>>;

  constructor(
    @InjectDataSource(READS) private readonly dataSource: DataSource,
    private readonly counts: RowCounts,
    lists: ListReads,
  ) {
    this.pages = lists.ofKind();
  }

  /** With `search`, as {@link searchProducts} has it. @throws OverloadedError when too many lists are read. */
  async list(request: PageRequest, search?: string): Promise<Listing<LiveProduct>> {
    const normalized = normalizeSearch(search);
    return this.pages([request, normalized ?? null], () => this.read(request, normalized));
  }

  /**
   * One product. Readers that ask for it at the same time get the same object.
   *
   * @throws ProductNotFoundError
   * @throws OverloadedError when too many reads wait.
   */
  async get(id: number): Promise<LiveProduct> {
    // What is no id of PostgreSQL's would fail the others with it.
    if (!Number.isSafeInteger(id)) throw new ProductNotFoundError(id);
    return this.reads.submit(id);
  }

  private async read(request: PageRequest, search: string | undefined): Promise<Listing<LiveProduct>> {
    const { ids, ...found } =
      search === undefined
        ? await this.counts.page(PRODUCTS, request)
        : await searchProducts(this.dataSource, search, request);
    const rows = await readPrepared<ProductRow>(this.dataSource, selectProducts(ids));
    return { ...found, items: rows.map(toProduct).sort((a, b) => b.id - a.id) };
  }

  private async load(ids: readonly number[]): Promise<Outcome<LiveProduct>[]> {
    const rows = await readPrepared<ProductRow>(this.dataSource, selectProducts([...new Set(ids)]));
    const products = new Map(rows.map((row) => [row.id, toProduct(row)]));
    return ids.map((id) => {
      const product = products.get(id);
      return product === undefined ? rejected(new ProductNotFoundError(id)) : fulfilled(product);
    });
  }
}
