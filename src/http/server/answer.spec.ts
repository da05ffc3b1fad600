import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { addKnownHeader, Answer, knownHeader, knownHeadersOf, setDefaultHeaders } from './answer.js';

const DEFAULTS = knownHeadersOf({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
const [REQUEST_ID, RATE] = ['x-request-id', 'ratelimit'].map((name) => knownHeadersOf({ [name]: 'known' })).flat();

/** The headers of an answer, as they were sent. */
async function headersOf(answer: (response: Answer) => void): Promise<string[]> {
  const listener: RequestListener<never, typeof Answer> = (_request, response) => {
    response.setDefaults(DEFAULTS);
    for (const header of [REQUEST_ID, RATE]) if (header !== undefined) response.add(header);
    answer(response);
  };
  const server = createServer({ ServerResponse: Answer }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return linesOf((await fetch(`http://127.0.0.1:${port}`)).headers);
  } finally {
    server.close();
  }
}

/** But for those that Node.js adds itself. `fetch` sorts them, and joins what is there twice. */
function linesOf(headers: Iterable<[string, unknown]>): string[] {
  const isMeant = ([name]: [string, unknown]) =>
    !['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length', 'content-type'].includes(name);
  return [...headers]
    .filter(isMeant)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .sort();
}

describe('Answer', () => {
  const ratelimit = 'ratelimit: known';
  const nosniff = 'x-content-type-options: nosniff';

  it('has its headers, however it is written', async () => {
    const expected = ['cache-control: no-store', ratelimit, nosniff, 'x-request-id: known'];
    expect(await headersOf((response) => response.end('.'))).toEqual(expected);
    expect(await headersOf((response) => response.writeHead(200).end('.'))).toEqual(expected);
    expect(await headersOf((response) => response.writeHead(204, {}).end())).toEqual(expected);
    expect(await headersOf((response) => response.writeHead(200, []).end('.'))).toEqual(expected);
  });

  it('has none beside one that it is given, in whatever case and way', async () => {
    const expected = ['cache-control: private', ratelimit, nosniff, 'x-request-id: given'];
    for (const [cacheControl, requestId] of [
      ['cache-control', 'x-request-id'],
      ['Cache-Control', 'X-Request-Id'],
    ] as const) {
      const given: [string, string][] = [
        [cacheControl, 'private'],
        [requestId, 'given'],
      ];
      // What is a value there is no name.
      const inTurns = [...given.flat(), 'vary', 'ratelimit'];
      expect(await headersOf((response) => response.writeHead(200, inTurns).end('.'))).toEqual(
        [...expected, 'vary: ratelimit'].sort(),
      );
      for (const headers of [Object.fromEntries(given), given.flat()]) {
        expect(await headersOf((response) => response.writeHead(200, headers).end('.'))).toEqual(expected);
      }
      const bySetting = (response: Answer) => {
        for (const [name, value] of given) response.setHeader(name, value);
        response.writeHead(200).end('.');
      };
      expect(await headersOf(bySetting)).toEqual(expected);
    }
  });

  it('sets them by Fastify where the answer is another', async () => {
    const server = fastify();
    server.get('/', (_request, reply) => {
      setDefaultHeaders(reply, DEFAULTS);
      addKnownHeader(reply, knownHeader('x-request-id', 'known'));
      return '.';
    });
    const { headers } = await server.inject('/');
    expect(linesOf(Object.entries(headers))).toEqual(['cache-control: no-store', nosniff, 'x-request-id: known']);
  });
});
