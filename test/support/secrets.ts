import { appendFileSync } from 'node:fs';
import path from 'node:path';

const noted = new Set<string>();

/** Notes a secret that a test uses: no log of the run may hold it. */
export function noteSecret(secret: string): void {
  const folder = process.env.TEST_LOGS;
  if (folder === undefined || noted.has(secret)) return;
  noted.add(secret);
  appendFileSync(path.join(folder, `${process.pid}.secrets`), `${secret}\n`);
}

/** Of a request's credentials: the header, and the password in it. */
export function noteCredentials(headers: RequestInit['headers']): void {
  const value = new Headers(headers).get('Authorization');
  if (value === null) return;
  noteSecret(value);
  const [, basic] = /^Basic (.+)$/.exec(value) ?? [];
  const password = basic === undefined ? value.replace(/^Bearer /, '') : atob(basic).replace(/^[^:]*:/, '');
  noteSecret(password);
  if (basic !== undefined) noteSecret(basic);
}
