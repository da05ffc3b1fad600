import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from './random.ts';

/** What was asked of the provider with an idempotency key. */
interface Account {
  /** There should be one. */
  readonly orderIds: Set<number>;
  calls: number;
  /** Calls that did not come to a good answer, by the provider's fault. */
  troubles: number;
  /** The order was fulfilled; however often the key comes again, that is done once. */
  isDone: boolean;
  /** What was done is undone, and nothing is done for the key any more. */
  isCancelled: boolean;
  isRefused: boolean;
}

export interface Provider {
  url: string;
  /** By idempotency key. */
  accounts: ReadonlyMap<string, Account>;
  /** Of each order the sequence numbers of the events that the subscriber was told of, in their order. */
  heard: ReadonlyMap<number, readonly number[]>;
  /** The next order ends each worker that works on it, until it is cured. */
  poison: () => void;
  cure: () => void;
  close: () => Promise<void>;
}

/** How the provider takes an order; it depends on the seed and the order alone. */
const MANNERS = { prompt: 84, slow: 4, refuses: 3, 'fails at first': 5, 'loses its answer': 3, 'hangs once': 1 };
const HANG_MS = 4_000;
/** What the provider answers for an order that is poison; the worker of the simulator ends itself then. */
export const POISONED = 418;

/** A payment provider as there are: mostly prompt, at times slow, failing, refusing, or done without saying so. */
export async function startProvider(seed: number): Promise<Provider> {
  const accounts = new Map<string, Account>();
  let poison: { key?: string } | undefined;

  const heard = new Map<number, number[]>();
  let calls = 0;

  /** At times it fails at first, and at times its answer is lost. */
  const hear = (event: string, response: ServerResponse): void => {
    const [, orderId, sequence] = JSON.parse(event) as [number, number, number];
    if (++calls % 7 === 0) return void response.writeHead(503).end();
    const sequences = heard.get(orderId) ?? [];
    heard.set(orderId, [...sequences, sequence]);
    if (calls % 11 === 0) return void response.destroy();
    response.writeHead(200).end();
  };
  const cancel = (account: Account, response: ServerResponse): void => {
    account.isCancelled = true;
    account.isDone = false;
    if (++calls % 3 === 0) return void response.writeHead(503).end();
    response.writeHead(200).end();
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/event') {
      hear(await textOf(request), response);
      return;
    }
    const key = String(request.headers['idempotency-key']);
    const orderId = Number(await textOf(request));
    const isNew = !accounts.has(key);
    const account = accounts.get(key) ?? {
      orderIds: new Set(),
      calls: 0,
      troubles: 0,
      isDone: false,
      isCancelled: false,
      isRefused: false,
    };
    accounts.set(key, account);
    if (poison !== undefined && isNew) poison.key ??= key;
    account.orderIds.add(orderId);
    if (request.url === '/cancel') {
      cancel(account, response);
      return;
    }
    if (account.isCancelled) return void response.writeHead(200).end();
    const random = new Random(seed ^ (orderId * 2_654_435_761));
    const manner = random.pickWeighted(MANNERS);
    const isFirst = account.calls++ === 0;
    if (poison?.key === key) {
      account.troubles++;
      return void response.writeHead(POISONED).end();
    }
    await delay(manner === 'slow' ? random.between(200, 900) : random.between(1, 60));
    if (manner === 'refuses') {
      account.isRefused = true;
      return void response.writeHead(422).end();
    }
    if (manner === 'fails at first' && account.calls <= 2) {
      account.troubles++;
      return void response.writeHead(503).end();
    }
    // A call that was given up may be worked on after the order was cancelled.
    account.isDone = !account.isCancelled;
    if (isFirst && (manner === 'loses its answer' || manner === 'hangs once')) account.troubles++;
    if (manner === 'loses its answer' && isFirst) return void response.destroy();
    if (manner === 'hangs once' && isFirst) await delay(HANG_MS, undefined, { ref: false });
    response.writeHead(200).end();
  };

  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    accounts,
    heard,
    poison: () => (poison = {}),
    cure: () => (poison = undefined),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
