import type { FastifyReply } from 'fastify';

/** The type of a body that a handler gives as JSON text. */
export const JSON_TEXT = 'application/json; charset=utf-8';

/** Documents the header of {@link sendLocation}. */
export const LOCATION = { Location: { schema: { type: 'string' as const }, description: 'Its path' } };

/** Tells where what was created is found. */
export function sendLocation(reply: FastifyReply, path: string, { id }: { readonly id: number }): void {
  reply.header('location', `${path}/${id}`);
}
