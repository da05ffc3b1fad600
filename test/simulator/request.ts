import type { Answer, Operation } from './model.ts';

/** A client gives up on a request after this, which no request should take. */
const PATIENCE_MS = 8_000;

/** Sends a request once. */
export async function request(
  url: string,
  { method, path, body, key, ifMatch }: Pick<Operation, 'method' | 'path' | 'body' | 'key' | 'ifMatch'>,
): Promise<Answer | 'unknown'> {
  const sentAt = performance.now();
  const passed = () => performance.now() - sentAt;
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
  } catch (error) {
    if (!isRefused(error)) return 'unknown';
    const body = { code: 'CONNECTION_REFUSED' };
    return { status: 503, body, isReplayed: false, etag: null, retryAfter: '', milliseconds: passed() };
  }
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    isReplayed: response.headers.get('Idempotent-Replayed') === 'true',
    etag: response.headers.get('ETag'),
    retryAfter: response.headers.get('Retry-After'),
    milliseconds: passed(),
  };
}

/** Nobody listened, so nobody has read the request. */
function isRefused(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code === 'ECONNREFUSED';
}
