import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Beside the first. */
const OTHERS = 15;
/** Connections that wait to be accepted by each; the system may allow fewer. */
const BACKLOG = 512;

/** Where a server listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Listens with several sockets at one port. Node.js accepts one connection a socket in each turn of the event loop, and turns take
 * milliseconds while many ask: with one socket a crowd that comes at once would be let in at a few hundred a second, and others who
 * come meanwhile would wait behind it, where nothing sees them. Elsewhere than on Linux it is one socket.
 */
export class Listeners {
  private readonly others: Server[] = [];
  private closing: Promise<unknown> = Promise.resolve();

  /** Call it before the server is ready. */
  constructor(private readonly server: FastifyInstance) {
    server.addHook('preClose', (done) => {
      this.closing = Promise.all(this.others.map(close));
      done();
    });
    // What was asked by way of the others is answered by then.
    server.addHook('onClose', async () => {
      await this.closing;
    });
  }

  /** @param listen of the server. */
  async listen({ host, port }: Place, listen: (options: Place & ListenOptions) => Promise<unknown>): Promise<void> {
    if (process.platform !== 'linux') {
      await listen({ host, port, backlog: BACKLOG });
      return;
    }
    // Sockets that share a port do so with those of other processes.
    const alone = createServer();
    await open(alone, { host, port });
    await close(alone);
    const shared = { host, backlog: BACKLOG, reusePort: true };
    await listen({ ...shared, port });
    const address = this.server.server.address();
    if (address === null || typeof address === 'string') return;
    const forward = (socket: Socket) => void this.server.server.emit('connection', socket);
    for (let n = 0; n < OTHERS; n++) {
      // As Node.js makes a server of HTTP.
      const other = createServer({ allowHalfOpen: true, noDelay: true }, forward);
      this.others.push(other);
      await open(other, { ...shared, port: address.port });
    }
  }
}

async function open(server: Server, options: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options, resolve));
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
