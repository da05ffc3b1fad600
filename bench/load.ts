/** Load from a process of its own: wrk, in C, so that the two cores go to what is measured. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const SCRIPT = path.join(import.meta.dirname, 'request.lua');
const LONE_CLIENT = path.join(import.meta.dirname, 'lone-client.ts');

export interface Request {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
}

export interface LoadOptions {
  url: string;
  /** By which the requests are let in. */
  key?: string | undefined;
  /** One is picked at random each time. */
  requests: readonly Request[];
  connections: number;
  seconds: number;
  /** Each request has an idempotency key of its own. */
  keyed?: boolean;
  /** What `{next}` in a path or a body counts up from. */
  first?: number;
}

/** What a load met with; latencies in milliseconds. */
export interface Measured {
  rate: number;
  p50: number;
  p99: number;
  requests: number;
  /** Answered with a status of 400 and above. */
  refused: number;
  /** Not answered. */
  broken: number;
}

/** Keeps `connections` busy for some seconds, each sending its next request when the last is answered. */
export async function load({
  url,
  key = '',
  requests,
  connections,
  seconds,
  keyed = false,
  first = 1,
}: LoadOptions): Promise<Measured> {
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s', '-s', SCRIPT, url, '--'];
  const specified = requests.flatMap(({ method, path: target, body }) => [
    method,
    target,
    // A number, not a text.
    body === undefined ? '' : JSON.stringify(body).replaceAll('"{next}"', '{next}'),
    keyed ? 'yes' : 'no',
  ]);
  const { stdout } = await execute('wrk', [...args, key, String(first), ...specified], {
    timeout: (seconds + 30) * 1_000,
  });
  return measuredIn(stdout);
}

/** One client without haste or pause, and what each of its requests took. */
export async function loadAlone(
  url: string,
  { path: target, body }: Request,
  { seconds, key = '' }: { seconds: number; key?: string | undefined },
): Promise<Measured> {
  const args = [LONE_CLIENT, `${url}${target}`, String(seconds), JSON.stringify(body), key];
  return measuredIn((await execute(process.execPath, args, { timeout: (seconds + 30) * 1_000 })).stdout);
}

function measuredIn(stdout: string): Measured {
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`The load printed no result:\n${stdout}`);
  const { requests: count, seconds: took, ...rest } = JSON.parse(line) as Omit<Measured, 'rate'> & { seconds: number };
  return { ...rest, requests: count, rate: count / took };
}
