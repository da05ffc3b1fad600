import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Log } from '../../runtime/log.js';
import { networkOf } from '../access/network.js';

/** How often the log may speak of each of the two ways in which a connection is lost to the bound. */
const LOG_INTERVAL_MS = 10_000;

/**
 * Bounds the connections of a server, and lets nobody keep others out: beyond the bound, the address that has most gives one up on which
 * nothing is answered, for one that has fewer. Else the new one is closed.
 */
export function shareConnections(server: Server, maxConnections: number): void {
  const holders = new Holders();
  const tellRefused = countedWarning('All connections (MAX_CONNECTIONS) are in use');
  const tellTaken = countedWarning('An address has most of all connections (MAX_CONNECTIONS): idle ones go to others');
  server.on('connection', (socket: Socket) => {
    const address = networkOf(socket.remoteAddress);
    holders.add(address, socket);
    socket.once('close', () => holders.remove(address, socket));
    if (holders.total <= maxConnections) return;
    const [holder, sockets = []] = holders.withMoreThan(address) ?? [];
    const idle = firstIdle(sockets);
    if (holder === undefined || idle === undefined) {
      tellRefused();
      close(socket, address);
    } else {
      tellTaken(holder);
      close(idle, holder);
    }
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

  /** The address that has most, if it has more than this one. */
  withMoreThan(address: string): [string, ReadonlySet<Socket>] | undefined {
    let most: [string, ReadonlySet<Socket>] | undefined;
    let count = this.byAddress.get(address)?.size ?? 0;
    for (const holder of this.byAddress) {
      if (holder[1].size <= count) continue;
      most = holder;
      count = holder[1].size;
    }
    return most;
  }
}

function firstIdle(sockets: Iterable<Socket>): Socket | undefined {
  for (const socket of sockets) if (isIdle(socket)) return socket;
  return undefined;
}

/**
 * Whether no request that has arrived in full is being answered. Node.js hangs the response that has its turn onto the socket, under a name that
 * libraries which end idle connections have relied on since its first releases.
 */
function isIdle(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.req.complete !== true;
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
