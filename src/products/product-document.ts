import { hash } from 'node:crypto';
import { ProductResponse } from './dto/product.response.js';
import type { LiveProduct } from './product-row.js';

/** A product as it is answered: JSON text, and the strong `ETag` of just this text. */
export interface ProductDocument {
  readonly etag: string;
  readonly text: string;
}

export function documentOf(product: LiveProduct): ProductDocument {
  return toDocument(JSON.stringify(ProductResponse.of(product)));
}

/** Of a text that was answered before. */
export function toDocument(text: string): ProductDocument {
  return { etag: `"${hash('sha1', text, 'base64url')}"`, text };
}

/** As it is cached, so that nothing has to be computed for a reader: the tag, a space, the text. */
export function packDocument({ etag, text }: ProductDocument): string {
  return `${etag} ${text}`;
}

export function unpackDocument(packed: string): ProductDocument {
  const end = packed.indexOf(' ');
  return { etag: packed.slice(0, end), text: packed.slice(end + 1) };
}
