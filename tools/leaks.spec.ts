import { leaksIn } from './leaks.js';

const NONE = new Set<string>();
const whatOf = (line: string, secrets: ReadonlySet<string> = NONE) => leaksIn(line, secrets).map(({ what }) => what);

describe('the search for secrets in logs', () => {
  it.each([
    [`{"message":"ord_sk_12_${'a'.repeat(49)}"}`, 'a key'],
    [`{"error":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."}`, 'a token'],
    ['{"error":"authorization: Basic b3duZXI6cGFzc3dvcmQ="}', 'a header with credentials'],
    ['{"error":"Authorization: bearer abcdefghijkl"}', 'a header with credentials'],
    ['connect to postgres://orders:hunter22@db:5432/orders failed', 'the password of a URL'],
    ['redis://:hunter22@127.0.0.1:6379/1', 'the password of a URL'],
  ])('finds what looks like one: %s', (line, what) => {
    expect(whatOf(`a line\n${line}\nanother`)).toEqual([what]);
  });

  it('finds a secret that a test has used, whatever it looks like', () => {
    expect(whatOf('the user said twelve or more', new Set(['twelve or more']))).toEqual(['a secret of a test']);
  });

  it.each([
    'postgres://orders:***@db:5432/orders',
    'http://127.0.0.1:8000/orders@home',
    '2026-01-01T10:00:00.000Z user@example.org',
    'Say who you are: "Authorization: Bearer" and a key, or the key as the password of a browser',
    'The key ord_sk_12_… has expired',
  ])('lets what is none alone: %s', (line) => {
    expect(whatOf(line)).toEqual([]);
  });
});
