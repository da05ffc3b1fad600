import { type IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

declare module 'node:http' {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- as the types have it
  interface OutgoingMessage<Request extends IncomingMessage = IncomingMessage> {
    /** Puts the head of a message together. Each way to write one ends here; the types do not tell of it. */
    _storeHeader(firstLine: string, given: GivenHeaders): void;
  }
}

/** As `writeHead` takes them: names are in any case; a list has names and values in turns, or pairs of them. */
type GivenHeaders = Readonly<Record<string, unknown>> | readonly unknown[] | undefined;

/** A header that is known to be right. */
export interface KnownHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  /** As it is sent. */
  readonly line: string;
}

const NONE: readonly KnownHeader[] = [];

/**
 * An answer that takes headers as lines of its head. Node.js looks at the name and at the value of each header of each answer by a regular
 * expression and asks what it may mean, which for four of those that nearly all answers have is a twelfth of what a cached read costs
 * (docs/decisions/0005). What is here is known to be right, means nothing to Node.js, and is left out where the same header is given.
 * Fastify does not know of it: `getHeader` and `removeHeader` do not see it.
 */
export class Answer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  private defaults = NONE;
  private readonly own: KnownHeader[] = [];

  override _storeHeader(firstLine: string, given: GivenHeaders): void {
    const lengths = lengthsIn(given);
    let head = firstLine;
    for (const header of this.own) if (!isGiven(header, given, lengths)) head += header.line;
    for (const header of this.defaults) if (!isGiven(header, given, lengths)) head += header.line;
    super._storeHeader(head, given);
  }

  setDefaults(defaults: readonly KnownHeader[]): void {
    this.defaults = defaults;
  }

  add(header: KnownHeader): void {
    this.own.push(header);
  }
}

/** A bit for the length of each name, modulo 32: few names are compared then. Every bit for a list. */
function lengthsIn(given: GivenHeaders): number {
  if (isList(given)) return ~0;
  let lengths = 0;
  for (const name in given) lengths |= 1 << name.length;
  return lengths;
}

function isGiven({ name }: KnownHeader, given: GivenHeaders, lengths: number): boolean {
  if ((lengths & (1 << name.length)) === 0) return false;
  if (isList(given)) return namesIn(given).some((other) => String(other).toLowerCase() === name);
  for (const other in given) if (other.length === name.length && other.toLowerCase() === name) return true;
  return false;
}

function namesIn(list: readonly unknown[]): unknown[] {
  return list.flatMap((part, index) => (isList(part) ? part.slice(0, 1) : index % 2 === 0 ? [part] : []));
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Headers that are the same for all answers, by names in lower case. */
export function knownHeadersOf(headers: Readonly<Record<string, string>>): KnownHeader[] {
  return Object.entries(headers).map(([name, value]) => knownHeader(name, value));
}

/** Sets headers that are sent unless the same are given. */
export function setDefaultHeaders(reply: FastifyReply, defaults: readonly KnownHeader[]): void {
  const { raw } = reply;
  if (isAnswer(raw)) raw.setDefaults(defaults);
  else for (const { name, value } of defaults) reply.header(name, value);
}

export function addKnownHeader(reply: FastifyReply, header: KnownHeader): void {
  const { raw } = reply;
  if (isAnswer(raw)) raw.add(header);
  else reply.header(header.name, header.value);
}

/**
 * @param name in lower case.
 * @param value of nothing that was sent and not checked.
 */
export function knownHeader(name: string, value: string): KnownHeader {
  return { name, value, line: `${name}: ${value}\r\n` };
}

/** Under `inject` of Fastify it is another. */
function isAnswer(response: ServerResponse): response is Answer {
  return response instanceof Answer;
}
