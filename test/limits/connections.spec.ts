import { get, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import { loadConfig } from '../../src/config/config.js';
import { createDashboard } from '../../src/roles/dashboard/create-dashboard.js';
import { startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { setLimits, useLimits } from '../support/limits.js';
import { warningsDuring } from '../support/warnings.js';

/** Short for a test, and long enough for a busy machine. */
const LIMIT_MS = 3_000;

/** Whoever follows a stream may read as slowly as it wants, but not what was asked for before. */
const STREAM = 'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n';

/** On a connection of its own, which is closed after that. */
const read = (url: string) =>
  new Promise<string>((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });

/** Each server that listens: how it is started, and the path of something large. */
const SERVERS = {
  'the API': async (variables: Record<string, string>) => {
    const { app, url, close } = await startApi(loadConfig(variables, 'api'));
    return { port: Number(new URL(url).port), large: '/redoc/redoc.standalone.js', server: app.getHttpServer(), close };
  },
  'the dashboard': async (variables: Record<string, string>) => {
    const app = await createDashboard(loadConfig(variables, 'dashboard'));
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const page = await read(url);
    const large = /src="([^"]+\.js)"/.exec(page)?.[1] ?? '';
    const port = Number(new URL(url).port);
    return { port, large: new URL(large, `${url}/`).pathname, server: app.getHttpServer(), close: () => app.close() };
  },
};

/** Elsewhere a machine has one address of its own, and nobody to share with. */
const onLinux = process.platform === 'linux' ? it : it.skip;

describe.each(Object.entries(SERVERS))('the connections of %s', (_name, start) => {
  useLimits({ requestMs: LIMIT_MS, readerMs: LIMIT_MS, unreadBytes: Infinity, dashboardRequests: 100_000 });
  let environment: Environment;
  let server: Awaited<ReturnType<typeof start>>;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    environment = await createEnvironment();
  });

  beforeEach(async () => {
    server = await start({ ...environment.variables, MAX_CONNECTIONS: '20' });
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.close();
  });

  afterAll(() => environment.close());

  /** On Linux all addresses of 127.0.0.0/8 are the machine's own. */
  const open = async (text: string, localAddress = '127.0.0.1') => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    const state = { socket, isClosed: false, received: '' };
    socket.on('error', () => undefined);
    socket.on('close', () => (state.isClosed = true));
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(text);
    return state;
  };
  const openOnServer = () =>
    new Promise<number>((resolve) => server.server.getConnections((_error: unknown, count: number) => resolve(count)));

  it.each([
    [
      'a body',
      'POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    ],
    [
      'a chunk',
      'POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{',
    ],
    ['headers', 'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n'],
    ['nothing', ''],
  ])('are closed when %s never comes to an end', async (_what, text) => {
    const state = await open(text);
    state.socket.on('data', (data) => (state.received += data.toString()));
    await eventually(() => expect(state.isClosed).toBe(true));
    expect(state.received === '' || state.received.startsWith('HTTP/1.1 408 ')).toBe(true);
    await eventually(async () => expect(await openOnServer()).toBe(0));
  });

  it('are closed when their client reads nothing of a long answer', async () => {
    // As many requests as no buffer of the system holds the answers of.
    const requests = `${`GET ${server.large} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(300)}${STREAM}`;
    let accepted = 0;
    server.server.on('connection', () => accepted++);
    for (let reader = 0; reader < 10; reader++) (await open(requests)).socket.pause();
    // The first may be closed before the last is there.
    await eventually(() => expect(accepted).toBe(10));
    await eventually(async () => expect(await openOnServer()).toBe(0));
  });

  it('remember nothing of requests that came one behind the other, and were answered', async () => {
    const count = 500;
    // Answered at once, with little.
    const path = '/no/such/path';
    const state = await open(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count));
    let answers = 0;
    state.socket.on('data', (data) => (answers += data.toString().split('HTTP/1.1 4').length - 1));
    await eventually(() => expect(answers).toBeGreaterThan(count - 10));
    expect(state.isClosed).toBe(false);
    await eventually(() => expect(queryObjects(ServerResponse)).toBeLessThan(count / 10));
  });

  it('stay open while their client reads slowly, for longer than one may read nothing', async () => {
    const state = await open(`GET ${server.large} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(60));
    const startedAt = performance.now();
    state.socket.on('data', () => {
      state.socket.pause();
      if (performance.now() - startedAt < 2 * LIMIT_MS) setTimeout(() => state.socket.resume(), 5);
    });
    await eventually(() => expect(performance.now() - startedAt).toBeGreaterThan(2 * LIMIT_MS));
    expect(state.isClosed).toBe(false);
  });

  it('are closed when their clients together leave too much unread, the one with most of it first', async () => {
    setLimits({ requestMs: 60_000, readerMs: 60_000, unreadBytes: 1_000_000 });
    const line = `GET ${server.large} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const { warnings } = await warningsDuring(async () => {
      const little = await open(line);
      little.socket.pause();
      (await open(line.repeat(300))).socket.pause();
      await eventually(async () => expect(await openOnServer()).toBe(1));
      little.socket.on('data', (data) => (little.received += data.toString('latin1'))).resume();
      await eventually(() => expect(little.received).toMatch(/^HTTP\/1\.1 200 /));
    });
    expect(warnings.filter((each) => each.includes('leave too much unread'))).not.toHaveLength(0);
  });

  it('are bounded: one more is closed, and the log says so once', async () => {
    const { warnings } = await warningsDuring(async () => {
      for (let connection = 0; connection < 20; connection++) await open('');
      const more = [await open(''), await open(''), await open('')];
      await eventually(() => expect(more.map(({ isClosed }) => isClosed)).toEqual([true, true, true]));
    });
    expect(warnings.filter((line) => line.includes('MAX_CONNECTIONS'))).toEqual([
      expect.stringMatching(/^All connections \(MAX_CONNECTIONS\) are in use.*"count":1/),
    ]);
    sockets[0]?.destroy();
    await eventually(async () => expect(await read(`http://127.0.0.1:${server.port}/`)).not.toBe(''));
  });

  onLinux('are shared: one address that holds all of them keeps nobody out', async () => {
    for (let connection = 0; connection < 20; connection++) await open('');
    const other = await open('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', '127.0.0.2');
    other.socket.on('data', (data) => (other.received += data.toString('latin1')));
    await eventually(() => expect(other.received).toMatch(/^HTTP/));
  });
});
