import { hash } from 'node:crypto';
import { ProductResponse } from './dto/product.response.js';
import type { LiveProduct } from './product-row.js';

/** A product as it is sent: JSON text, and the strong `ETag` of just this text. */
export interface ProductDocument {
  readonly etag: string;
  readonly text: string;
}

/** Its rendering shows the names of all fields and the form of their values, so every field of a product has a value here. */
const SAMPLE: Required<LiveProduct> = {
  id: 1,
  name: 'a',
  price: 199n,
  stock: 1,
  maxPerCustomer: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
};

/**
 * The version of the documents that this build renders. Every tag begins with it, and so does every cached document: builds that
 * render other fields share the cache in a rolling deploy, and each serves what it renders itself.
 */
const VERSION = hash('sha1', textOf(SAMPLE), 'base64url').slice(0, 4);

/** Readers that were served by one read share the product, and so its document. */
const rendered = new WeakMap<LiveProduct, ProductDocument>();

export function documentOf(product: LiveProduct): ProductDocument {
  const known = rendered.get(product);
  if (known !== undefined) return known;
  const text = textOf(product);
  const document = { etag: `"${VERSION}${hash('sha1', text, 'base64url')}"`, text };
  rendered.set(product, document);
  return document;
}

function textOf(product: LiveProduct): string {
  return JSON.stringify(ProductResponse.of(product));
}

/** As it is cached, so that nothing has to be computed for a reader: the tag, a space, the text. */
export function packDocument({ etag, text }: ProductDocument): string {
  return `${etag} ${text}`;
}

export function unpackDocument(packed: string): ProductDocument {
  const end = packed.indexOf(' ');
  return { etag: packed.slice(0, end), text: packed.slice(end + 1) };
}

/** Whether a build with the same fields has packed the document. */
export function isOfThisVersion(packed: string): boolean {
  return packed.startsWith(`"${VERSION}`);
}
