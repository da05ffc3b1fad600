import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { eventually } from '../../../test/support/eventually.js';
import { warningsDuring } from '../../../test/support/warnings.js';
import { shareConnections } from './shared-connections.js';

const BOUND = 8;
const ASKED = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** The server does not answer it. */
const BUSY = 'GET /busy HTTP/1.1\r\nHost: localhost\r\n\r\n';
const HALF = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{';

// On Linux all addresses of 127.0.0.0/8 are the machine's own. Elsewhere it has one, and nobody to share with.
(process.platform === 'linux' ? describe : describe.skip)('a server whose connections are all in use', () => {
  let server: Server;
  const unused = new Set<Socket>();
  const sockets: Socket[] = [];

  beforeEach(async () => {
    server = createServer((request, response) => {
      unused.delete(request.socket);
      response.once('close', () => request.socket.emit('answered'));
      if (request.url !== '/busy') request.on('end', () => response.end()).resume();
      request.socket.emit('asked');
    });
    server.on('connection', (socket: Socket) => unused.add(socket.once('close', () => unused.delete(socket))));
    server.keepAliveTimeout = 60_000;
    shareConnections(server, BOUND, unused);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  /** Resolves when the server has seen the connection, what was sent and, if it gives one, its answer. */
  async function open(address: string, text = ''): Promise<{ isClosed: boolean }> {
    const seen = new Promise<void>((resolve) => {
      server.once('connection', (socket: Socket) => {
        if (text === '') resolve();
        else socket.once(text === ASKED ? 'answered' : 'asked', resolve);
      });
    });
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', localAddress: address });
    sockets.push(socket.on('error', () => undefined));
    const state = { isClosed: false };
    socket.on('close', () => (state.isClosed = true));
    socket.resume().write(text);
    await seen;
    return state;
  }

  const areClosed = (states: readonly { isClosed: boolean }[]) => states.map(({ isClosed }) => isClosed);

  it('takes unused ones first, then idle ones, then those whose request has not arrived, and none that it answers', async () => {
    const { warnings } = await warningsDuring(async () => {
      const held: { isClosed: boolean }[] = [];
      for (const text of [BUSY, HALF, ASKED, '', BUSY, BUSY, BUSY, BUSY]) held.push(await open('127.0.0.1', text));
      for (const last of [3, 2, 1]) {
        expect(areClosed(held)[last]).toBe(false);
        expect((await open('127.0.0.2')).isClosed).toBe(false);
        await eventually(() => expect(areClosed(held)[last]).toBe(true));
      }
      const refused = await open('127.0.0.2');
      await eventually(() => expect(refused.isClosed).toBe(true));
      expect(areClosed(held)).toEqual([false, true, true, true, false, false, false, false]);
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^An address has most of all connections.*"count":1.*127\.0\.0\.1/),
      expect.stringMatching(/^All connections \(MAX_CONNECTIONS\) are in use.*"count":1/),
    ]);
  });

  it('goes on to who has next most, and takes none of who has no more than the new one', async () => {
    for (let connection = 0; connection < 4; connection++) await open('127.0.0.1', BUSY);
    const held = [await open('127.0.0.2'), await open('127.0.0.2'), await open('127.0.0.2'), await open('127.0.0.3')];
    held.push(await open('127.0.0.3'));
    await eventually(() => expect(areClosed(held)).toEqual([true, false, false, false, false]));
    held.push(await open('127.0.0.4'));
    await eventually(() => expect(areClosed(held)).toEqual([true, true, false, false, false, false]));
    held.push(await open('127.0.0.4'));
    await eventually(() => expect(areClosed(held)).toEqual([true, true, false, false, false, false, true]));
  });
});
