import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Log } from '../../runtime/log.js';
import { networkOf } from '../access/network.js';

/** How often the log may speak of each of the two ways in which a connection is lost to the bound. */
const LOG_INTERVAL_MS = 10_000;

/**
 * Bounds the connections of a server. Beyond the bound, an address that has more than the new one gives one up on which no request is being
 * answered, those with most first: who only holds connections keeps nobody out. When there is none such, the new one is closed.
 *
 * @param unused those on which nothing was ever asked.
 */
export function shareConnections(server: Server, maxConnections: number, unused: ReadonlySet<Socket>): void {
  const holders = new Holders();
  const tellRefused = countedWarning('All connections (MAX_CONNECTIONS) are in use');
  const tellTaken = countedWarning('An address has most of all connections (MAX_CONNECTIONS): idle ones go to others');
  server.on('connection', (socket: Socket) => {
    const address = networkOf(socket.remoteAddress);
    holders.add(address, socket);
    socket.once('close', () => holders.remove(address, socket));
    if (holders.total <= maxConnections) return;
    for (const [holder, sockets] of holders.withMoreThan(address)) {
      const spare = leastMissed(sockets, unused);
      if (spare === undefined) continue;
      tellTaken(holder);
      close(spare, holder);
      return;
    }
    tellRefused();
    close(socket, address);
  });

  function close(socket: Socket, address: string): void {
    holders.remove(address, socket);
    socket.destroy();
  }
}

/** Whose connections are open, by address. */
class Holders {
  total = 0;
  private readonly byAddress = new Map<string, Set<Socket>>();

  add(address: string, socket: Socket): void {
    const sockets = this.byAddress.get(address) ?? new Set();
    this.byAddress.set(address, sockets.add(socket));
    this.total++;
  }

  remove(address: string, socket: Socket): void {
    const sockets = this.byAddress.get(address);
    if (sockets?.delete(socket) !== true) return;
    this.total--;
    if (sockets.size === 0) this.byAddress.delete(address);
  }

  /** The addresses that have more than this one, and their connections; those with most first. */
  withMoreThan(address: string): [string, ReadonlySet<Socket>][] {
    const own = this.byAddress.get(address)?.size ?? 0;
    return [...this.byAddress].filter(([, { size }]) => size > own).sort(([, one], [, other]) => other.size - one.size);
  }
}

/** `undefined` when requests on all of them are being answered. */
function leastMissed(sockets: Iterable<Socket>, unused: ReadonlySet<Socket>): Socket | undefined {
  let spare: Socket | undefined;
  let least = Infinity;
  for (const socket of sockets) {
    const loss = unused.has(socket) ? 0 : lossOf(socket);
    if (loss >= least) continue;
    spare = socket;
    least = loss;
    if (loss === 0) break;
  }
  return spare;
}

/**
 * 1 for a connection on which nothing is asked, 2 for one whose request has not arrived in full, `Infinity` while a request is answered.
 * Node.js keeps the response that has its turn on the socket, under a name that libraries which end idle connections rely on as well.
 */
function lossOf({ _httpMessage: response }: Socket & { readonly _httpMessage?: ServerResponse | null }): number {
  if (response === undefined || response === null) return 1;
  return response.req.complete ? Infinity : 2;
}

/** Warns now, or with the next warning that may be written; `count` are those since the one before. */
function countedWarning(message: string): (address?: string) => void {
  const logger = new Log('Connections');
  let count = 0;
  let loggedAt = -Infinity;
  return (address) => {
    count++;
    if (performance.now() - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = performance.now();
    logger.warn(message, { count, address });
    count = 0;
  };
}
