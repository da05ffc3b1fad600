/** Where this script lies tells the root of the system, so that the console works below any path of a proxy. */
const here = import.meta.url;
const API = new URL('../../api/v1/', here);
const TIMEOUT_MS = 10_000;

/** The body of every error of the API, as far as it is shown. */
interface Problem {
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly request_id: string;
}

/** The API has refused something, or has not answered. */
export class ApiError extends Error {
  readonly problem: Problem | undefined;

  constructor(message: string, problem?: Problem) {
    super(message);
    this.problem = problem;
  }

  /** The API has decided: nothing has changed. Of a failure, sending it again is what to do. */
  get isRefusal(): boolean {
    return this.problem !== undefined && this.problem.status < 500;
  }
}

/** By how much the clock of the API is ahead of this machine's, in milliseconds. */
let aheadMs = 0;

/** By the clock of the API, in milliseconds since 1970: the one of this machine may be wrong. */
export function now(): number {
  return Date.now() + aheadMs;
}

/** Of a page beside the console: `docs`, `redoc`. */
export function addressOf(path: string): string {
  return new URL(`../../${path}`, here).href;
}

/** @throws ApiError */
export async function get<T>(path: string): Promise<T> {
  return request<T>(path, {});
}

export type ActionMethod = 'POST' | 'DELETE';

/** Something that an operator does. */
export interface Intention {
  readonly method: ActionMethod;
  readonly path: string;
  /** Sent with a POST. */
  readonly body: object;
  /** The same for each try, so that it is done once. */
  readonly key: string;
}

/** @throws ApiError */
export async function act<T>({ method, path, body, key }: Intention): Promise<T> {
  if (method === 'DELETE') return request<T>(path, { method });
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
  return request<T>(path, { method, headers, body: JSON.stringify(body) });
}

/** Of an intention. `crypto.randomUUID` is there only on pages that are secure. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('-');
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(new URL(path, API), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => {
    throw new ApiError('The API does not answer');
  });
  const date = response.headers.get('Date');
  // It tells whole seconds.
  if (date !== null && Math.abs(Date.parse(date) - now()) > 2_000) aheadMs = Date.parse(date) - Date.now();
  const text = await response.text();
  const body: unknown = parse(text);
  // `health/ready` tells with a 503 what is away.
  if (response.ok || (response.status === 503 && hasMember(body, 'checks'))) return body as T;
  const problem = hasMember(body, 'detail') ? (body as unknown as Problem) : undefined;
  throw new ApiError(problem?.detail ?? `The API has answered with status ${response.status}`, problem);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hasMember<Name extends string>(body: unknown, member: Name): body is Record<Name, unknown> {
  return typeof body === 'object' && body !== null && member in body;
}
