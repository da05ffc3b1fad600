import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fastify, type FastifyInstance } from 'fastify';
import { Listeners } from './listeners.js';

const HOST = '127.0.0.1';

/** Elsewhere it is one socket. */
const onLinux = process.platform === 'linux' ? it : it.skip;

describe('Listeners', () => {
  const servers: FastifyInstance[] = [];

  const start = async (port = 0, routes: (server: FastifyInstance) => void = () => undefined) => {
    const server = fastify({ forceCloseConnections: 'idle', return503OnClosing: false });
    servers.push(server);
    routes(server);
    await new Listeners(server).listen({ host: HOST, port }, async (options) => server.listen(options));
    const address = server.server.address();
    if (address === null || typeof address === 'string') throw new Error('It listens nowhere');
    return { server, port: address.port };
  };

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  onLinux('let in several connections in a turn of the event loop', async () => {
    const { server, port } = await start();
    const ofTurns = new Map<number, number>();
    let turn = 0;
    server.server.on('connection', () => ofTurns.set(turn, (ofTurns.get(turn) ?? 0) + 1));
    const sockets: Socket[] = [];
    for (let n = 0; n < 200; n++) sockets.push(connect({ port, host: HOST }));
    const accepted = () => [...ofTurns.values()].reduce((sum, count) => sum + count, 0);
    while (accepted() < sockets.length) {
      await nextTurn();
      turn++;
    }
    expect(Math.max(...ofTurns.values())).toBeGreaterThanOrEqual(4);
    for (const socket of sockets) socket.destroy();
  });

  it('do not share the port of another server', async () => {
    const { port } = await start();
    await expect(start(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('answer what was asked before the server closes, on each of them, and nothing after that', async () => {
    const asked = 64;
    const { promise: goesOn, resolve: goOn } = Promise.withResolvers<undefined>();
    const { promise: allThere, resolve: tellAllThere } = Promise.withResolvers<undefined>();
    let there = 0;
    const { server, port } = await start(0, (each) => {
      each.get('/', async () => {
        there++;
        if (there === asked) tellAllThere(undefined);
        await goesOn;
        return 'answered';
      });
    });
    const answer = async () =>
      new Promise<string>((resolve, reject) => {
        get({ port, host: HOST, agent: false }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve(text));
        }).on('error', reject);
      });
    const answers = Promise.all(Array.from({ length: asked }, answer));
    await allThere;
    let isClosed = false;
    const closing = server.close().then(() => (isClosed = true));
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(isClosed).toBe(false);
    await expect(answer()).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN(REFUSED|RESET)$/) as string });
    goOn(undefined);
    expect(await answers).toEqual(Array(asked).fill('answered'));
    await closing;
    await expect(answer()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
