import { type IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

declare module 'node:http' {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- as the types have it
  interface OutgoingMessage<Request extends IncomingMessage = IncomingMessage> {
    /** Puts the head of a message together. Each way to write one ends here; the types do not tell of it. */
    _storeHeader(firstLine: string, headers: Headers): void;
  }
}

/** By name, in whatever case. */
type Headers = Readonly<Record<string, unknown>> | undefined;

/** A header whose name is in lower case, and the line that it is sent as. */
interface Line {
  readonly name: string;
  readonly line: string;
}

const NO_LINES: readonly Line[] = [];

/**
 * An answer that takes lines of its head as they are. Node.js looks at the name and at the value of each header of each answer by a regular
 * expression and asks what it may mean, which for the seven that nearly all answers have is a tenth of what a cached read costs
 * (docs/decisions/0005). What is here is known to be right, and means nothing to Node.js.
 */
export class Answer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  private lines = '';
  private defaults = NO_LINES;

  override _storeHeader(firstLine: string, headers: Headers): void {
    let head = firstLine + this.lines;
    for (const { name, line } of this.defaults) if (!isGiven(name, headers)) head += line;
    super._storeHeader(head, headers);
  }

  /** @param line one or more, whole with their ends, of nothing that was sent and not checked. */
  add(line: string): void {
    this.lines += line;
  }

  /** Lines of headers that it has unless it is given others. */
  addDefaults(defaults: readonly Line[]): void {
    this.defaults = defaults;
  }
}

/** Names that a handler has written are in any case. */
function isGiven(name: string, headers: Headers): boolean {
  for (const given in headers) if (given.length === name.length && given.toLowerCase() === name) return true;
  return false;
}

/** The answer of a request, as the servers of this system make it. */
export function answerOf({ raw }: FastifyReply): Answer {
  if (isAnswer(raw)) return raw;
  throw new Error('The server is to be made with `connectionOptions`');
}

function isAnswer(response: ServerResponse): response is Answer {
  return response instanceof Answer;
}

/** By names in lower case. */
export function linesOf(headers: Readonly<Record<string, string>>): Line[] {
  return Object.entries(headers).map(([name, value]) => ({ name, line: `${name}: ${value}\r\n` }));
}
