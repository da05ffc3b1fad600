import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteAccess } from '../access/route-access.js';
import { isUnchanged } from '../conditional-request.js';

/** A page or a file that is the same as long as the process lives. */
export interface FixedContent {
  readonly path: string;
  readonly access: RouteAccess;
  /** With its charset. */
  readonly type: string;
  readonly content: string | Buffer;
  /**
   * Its address changes with its content, by {@link versionedUrl} or by its name, so that it can be kept without asking again; others are
   * asked for each time.
   */
  readonly isVersioned?: boolean | 'by name';
  /** What the answer depends on; the encodings that the client takes unless given. */
  readonly vary?: string;
  /** Of a page that runs scripts. */
  readonly contentSecurityPolicy?: string;
  /** The same for a request whose path ends with a slash, when its addresses are relative. */
  readonly atSlash?: FixedContent;
}

/** Answers with content. */
export type Responder = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Half as large as at the fastest, in a tenth of the time that the smallest takes. */
const BROTLI_QUALITY = 5;
const ENCODERS: Record<string, (content: Buffer) => Promise<Buffer>> = {
  br: (content) => promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: promisify(gzip),
};
const ENCODINGS = Object.keys(ENCODERS);
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** The address of versioned content: it is another one for another content. */
export function versionedUrl({ path, content }: FixedContent): string {
  return `${path}?v=${digestOf(content)}`;
}

/** Serves the content at its path: compressed once for all readers, who share the bytes, and with a strong `ETag`. */
export function serveFixed(server: FastifyInstance, fixed: FixedContent): void {
  const respond = responderOf(fixed);
  const respondAtSlash = fixed.atSlash === undefined ? respond : responderOf(fixed.atSlash);
  server.get(fixed.path, { config: { access: fixed.access } }, async (request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    return (path.endsWith('/') ? respondAtSlash : respond)(request, reply);
  });
}

/** Answers with the content, wherever it was asked for. */
export function responderOf(fixed: FixedContent): Responder {
  const { type, content, isVersioned, contentSecurityPolicy, vary = 'Accept-Encoding' } = fixed;
  const digest = digestOf(content);
  const plain = Buffer.from(content);
  const encoded = new Map<string, Promise<Buffer>>();
  const bytesIn = (encoding: string | null): Promise<Buffer> => {
    const encode = encoding === null ? undefined : ENCODERS[encoding];
    if (encoding === null || encode === undefined) return Promise.resolve(plain);
    const bytes = encoded.get(encoding) ?? encode(plain);
    encoded.set(encoding, bytes);
    return bytes;
  };
  return async (request, reply) => {
    const encoding = negotiate(request.headers['accept-encoding'] ?? '', ENCODINGS);
    const etag = `"${digest}${encoding === null ? '' : `-${encoding}`}"`;
    const isKept = isVersioned === 'by name' || (isVersioned === true && versionOf(request) === digest);
    reply.headers({ ETag: etag, Vary: vary, 'Cache-Control': isKept ? IMMUTABLE : 'no-cache' });
    if (contentSecurityPolicy !== undefined) reply.header('Content-Security-Policy', contentSecurityPolicy);
    if (isUnchanged(request.headers['if-none-match'], etag)) return reply.code(304).send();
    if (encoding !== null) reply.header('Content-Encoding', encoding);
    return reply.type(type).send(await bytesIn(encoding));
  };
}

function versionOf({ query }: FastifyRequest): unknown {
  return typeof query === 'object' && query !== null && 'v' in query ? query.v : undefined;
}

function digestOf(content: string | Buffer): string {
  return hash('sha1', content, 'base64url');
}
