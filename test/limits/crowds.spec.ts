import { connect, type Socket } from 'node:net';
import { loadConfig } from '../../src/config/config.js';
import { startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { setLimits, useLimits } from '../support/limits.js';

const CROWD = 800;
const ORIGIN = 'https://shop.test';
const REQUEST = `GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\nOrigin: ${ORIGIN}\r\nX-Request-Id: mine\r\n\r\n`;

/** Elsewhere a machine has one address of its own. */
const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('a crowd that asks at once', () => {
  useLimits({ beginMs: 60_000 });
  let environment: Environment;
  let api: Awaited<ReturnType<typeof startApi>>;
  const crowd: Socket[] = [];
  let other: Socket;

  const open = async (localAddress: string) => {
    const socket = connect({ port: Number(new URL(api.url).port), host: '127.0.0.1', localAddress });
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  };
  const answerOf = async (socket: Socket) => {
    socket.write(REQUEST);
    return new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  };

  beforeAll(async () => {
    environment = await createEnvironment();
    api = await startApi(loadConfig({ ...environment.variables, CORS_ORIGINS: ORIGIN }, 'api'));
    for (let n = 0; n < CROWD; n++) crowd.push(await open('127.0.0.1'));
    other = await open('127.0.0.2');
    // What only the first request takes longer for.
    await Promise.all([...crowd, other].map(answerOf));
  });

  afterAll(async () => {
    for (const socket of [...crowd, other]) socket.destroy();
    await api.close();
    await environment.close();
  });

  it('does not hold up who comes from elsewhere after it', async () => {
    const answered: ('crowd' | 'other')[] = [];
    const asked = crowd.map(async (socket) => answerOf(socket).then(() => answered.push('crowd')));
    await Promise.all([...asked, answerOf(other).then(() => answered.push('other'))]);
    expect(answered).toHaveLength(CROWD + 1);
    expect(answered.indexOf('other')).toBeLessThan(CROWD / 2);
  });

  it('is refused, as far as it had to wait for too long, with all that an answer has', async () => {
    setLimits({ beginMs: 0 });
    const answers = await Promise.all(crowd.map(answerOf));
    const refused = answers.filter((text) => !text.startsWith('HTTP/1.1 404 '));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(CROWD);
    const [head = '', body = ''] = refused[0]?.split('\r\n\r\n') ?? [];
    expect(new Set(refused.map((text) => text.split('\r\n')[0]))).toEqual(
      new Set(['HTTP/1.1 503 Service Unavailable']),
    );
    const headers = Object.fromEntries(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => line.toLowerCase().split(': ')),
    );
    expect(headers).toMatchObject({
      'retry-after': '1',
      'content-type': expect.stringContaining('application/problem+json') as string,
      'x-request-id': 'mine',
      'access-control-allow-origin': ORIGIN,
      'x-content-type-options': 'nosniff',
    });
    expect(JSON.parse(body)).toMatchObject({ status: 503, code: 'OVERLOADED', request_id: 'mine' });
  });
});
