import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';

const BEARER = /^Bearer +([^\s]+) *$/i;
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/** Of a longer header nothing is kept: thousands of connections can send one that is as long as all headers may be. */
const MAX_KEPT_LENGTH = 4_096;

/**
 * What each connection sent last. Clients send the same with each request, and comparing it is several times as fast as reading it and
 * hashing the token anew.
 */
const lastSent = new WeakMap<Socket, { readonly authorization: string; readonly token: string }>();

/**
 * The token that a request carries: of `Authorization: Bearer`, or the password of HTTP Basic, by which a browser sends it. `undefined` when
 * there is no such header, empty when it holds nothing of the kind.
 */
export function tokenOf({ headers: { authorization }, raw: { socket } }: FastifyRequest): string | undefined {
  if (authorization === undefined) return undefined;
  const last = lastSent.get(socket);
  if (last?.authorization === authorization) return last.token;
  const token = tokenIn(authorization);
  if (authorization.length <= MAX_KEPT_LENGTH) lastSent.set(socket, { authorization, token });
  return token;
}

function tokenIn(authorization: string): string {
  const [, bearer] = BEARER.exec(authorization) ?? [];
  // A text of its own: V8 compares what is a part of another several times as slowly, and tokens are compared with each request.
  if (bearer !== undefined) return Buffer.from(bearer).toString();
  const [, basic = ''] = BASIC.exec(authorization) ?? [];
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString()) ?? [];
  return password;
}
