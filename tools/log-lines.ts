import { styleText } from 'node:util';
import pretty from 'pino-pretty';

/** Lines of orders in each second; a sale makes thousands, which nobody could read. */
const MAX_ORDER_LINES = 30;
const WINDOW_MS = 1_000;
const PURCHASE = /\/orders\/?$/;
const CANCELLATION = /\/orders\/\d+\/cancel\/?$/;

/** What a role logs, as far as it matters here. */
interface Line {
  readonly level?: string;
  readonly context?: string;
  readonly message?: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly code?: string;
  readonly order_id?: number;
  readonly duration_ms?: number;
  readonly request_id?: string;
}

interface Options {
  readonly write: (line: string) => void;
  readonly colorize: boolean;
  /** Shows each purchase and each end of an order, and of the other requests only those that failed. */
  readonly showsOrders: boolean;
}

/** Shows the JSON lines of the roles to a person. */
export class LogLines {
  private readonly options: Options;
  private readonly format: (line: string) => string;
  private shown = 0;
  private leftOut = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: Options) {
    this.options = options;
    this.format = pretty.prettyFactory({
      colorize: options.colorize,
      messageKey: 'message',
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'role,pid',
      singleLine: true,
    });
  }

  show(role: string, text: string): void {
    const line = parse(text);
    const prefix = `${role.padEnd(9)} │ `;
    if (line === undefined) this.options.write(prefix + text);
    else if (!this.options.showsOrders) this.options.write(prefix + this.format(text).trimEnd());
    else {
      const order = orderLineOf(line);
      if (order !== undefined) this.showOrder(prefix + order);
      else if (line.context !== 'Access' || line.level === 'error' || (line.status ?? 0) >= 500) {
        this.options.write(prefix + this.format(text).trimEnd());
      }
    }
  }

  private showOrder(text: string): void {
    this.timer ??= setTimeout(() => this.endWindow(), WINDOW_MS).unref();
    if (this.shown++ < MAX_ORDER_LINES) this.options.write(text);
    else this.leftOut++;
  }

  private endWindow(): void {
    if (this.leftOut > 0) this.options.write(styleText('dim', `          │ … ${this.leftOut} more in this second`));
    this.shown = 0;
    this.leftOut = 0;
    this.timer = undefined;
  }
}

/** The line of a purchase, or of the end of an order; `undefined` for every other one. */
function orderLineOf(line: Line): string | undefined {
  const { context, message = '', method, path = '', status, code, order_id: id } = line;
  // Without a status nobody knows the outcome; the line says so itself.
  if (context === 'Access' && status === undefined) return undefined;
  if (context === 'Access' && method === 'POST' && PURCHASE.test(path)) {
    return status !== undefined && status < 300
      ? styleText('green', `✔ order #${id} bought${detailsOf(line)}`)
      : styleText('yellow', `✘ nothing bought: ${code ?? status}${detailsOf(line)}`);
  }
  if (context === 'Access' && method === 'POST' && CANCELLATION.test(path) && status !== undefined && status < 300) {
    return styleText('magenta', `↩ order #${id} cancelled${detailsOf(line)}`);
  }
  if (id === undefined || context === 'Access') return undefined;
  if (message.endsWith(' Processed.')) return styleText('cyan', `✔ ${message}${detailsOf(line)}`);
  if (message.startsWith('The order failed')) return styleText('red', `✘ order #${id} failed${detailsOf(line)}`);
  return undefined;
}

function detailsOf({ duration_ms: milliseconds, request_id: requestId }: Line): string {
  const duration =
    milliseconds === undefined
      ? ''
      : milliseconds < 1_000
        ? `  ${milliseconds} ms`
        : `  ${(milliseconds / 1_000).toFixed(1)} s`;
  return `${duration}${requestId === undefined ? '' : `  ${requestId}`}`;
}

/** `undefined` for what is no line of the logger: a crash of Node.js, for instance. */
function parse(text: string): Line | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
