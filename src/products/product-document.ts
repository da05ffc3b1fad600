import { hash } from 'node:crypto';
import { ProductResponse } from './dto/product.response.js';
import type { LiveProduct } from './product-row.js';

/** A product as it is sent: JSON text, and the strong `ETag` of just this text. */
export interface ProductDocument {
  readonly etag: string;
  readonly text: string;
}

/** Readers that were served by one read share the product, and so its document. */
const rendered = new WeakMap<LiveProduct, ProductDocument>();

export function documentOf(product: LiveProduct): ProductDocument {
  const known = rendered.get(product);
  if (known !== undefined) return known;
  const text = JSON.stringify(ProductResponse.of(product));
  const document = { etag: `"${hash('sha1', text, 'base64url')}"`, text };
  rendered.set(product, document);
  return document;
}

/** As it is cached, so that nothing has to be computed for a reader: the tag, a space, the text. */
export function packDocument({ etag, text }: ProductDocument): string {
  return `${etag} ${text}`;
}

export function unpackDocument(packed: string): ProductDocument {
  const end = packed.indexOf(' ');
  return { etag: packed.slice(0, end), text: packed.slice(end + 1) };
}
