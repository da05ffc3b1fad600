import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Answer, linesOf } from './answer.js';

const DEFAULTS = linesOf({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });

/** The headers of an answer, as they were sent. */
async function headersOf(answer: (response: Answer) => void): Promise<string[]> {
  const listener: RequestListener<never, typeof Answer> = (_request, response) => {
    response.addDefaults(DEFAULTS);
    response.add('x-request-id: one\r\n');
    response.add('ratelimit: two\r\n');
    answer(response);
  };
  const server = createServer({ ServerResponse: Answer }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const { headers } = await fetch(`http://127.0.0.1:${port}`);
    const isMeant = ([name]: string[]) =>
      !['connection', 'date', 'keep-alive', 'transfer-encoding'].includes(name ?? '');
    return [...headers].filter(isMeant).map(([name, value]) => `${name}: ${value}`);
  } finally {
    server.close();
  }
}

describe('Answer', () => {
  /** `fetch` sorts them. */
  const others = ['ratelimit: two', 'x-content-type-options: nosniff', 'x-request-id: one'];

  it('has its lines and its defaults, however it is written', async () => {
    const expected = ['cache-control: no-store', ...others];
    expect(await headersOf((response) => response.end('.'))).toEqual(expect.arrayContaining(expected));
    expect(await headersOf((response) => response.writeHead(200).end('.'))).toEqual(expected);
    expect(await headersOf((response) => response.writeHead(204, {}).end())).toEqual(expected);
  });

  it('has no default beside a header that it is given, in whatever case and way', async () => {
    const expected = ['cache-control: private', ...others];
    for (const name of ['cache-control', 'Cache-Control']) {
      expect(await headersOf((response) => response.writeHead(200, { [name]: 'private' }).end('.'))).toEqual(expected);
      expect(await headersOf((response) => response.setHeader(name, 'private').writeHead(200).end('.'))).toEqual(
        expected,
      );
    }
  });
});
