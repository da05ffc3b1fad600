import { Injectable } from '@nestjs/common';
import { ProductCache } from './product-cache.js';
import { documentOf, isOfThisVersion, packDocument, type ProductDocument, unpackDocument } from './product-document.js';
import { ProductReaderService } from './product-reader.service.js';

/** Products as they are sent, from the database or through the cache, which holds them rendered. */
@Injectable()
export class ProductDocumentService {
  constructor(
    private readonly products: ProductReaderService,
    private readonly cache: ProductCache,
  ) {}

  /** @throws what `ProductReaderService.get` throws. */
  async get(id: number): Promise<ProductDocument> {
    return documentOf(await this.products.get(id));
  }

  /**
   * The same through the cache. It may be old by a moment and never older than the cache's TTL, so nothing may be decided from it.
   *
   * @throws what `ProductReaderService.get` throws.
   */
  async getCached(id: number): Promise<ProductDocument> {
    const load = async () => packDocument(await this.get(id));
    return unpackDocument(await this.cache.read(id, { load, isCurrent: isOfThisVersion }));
  }
}
