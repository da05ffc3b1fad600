import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Secrets that are known by how they look. */
const SHAPES: Readonly<Record<string, RegExp>> = {
  'a key': /ord_sk_\d+_[0-9A-Za-z]{20,}/,
  'a token': /eyJ[\w-]{10,}\.eyJ[\w-]{10,}/,
  'a header with credentials': /\b(?:basic|bearer) +[\w+/.~-]{8,}={0,2}/i,
  'the password of a URL': /\w+:\/\/[^\s:@/]*:(?!\*{3}@)[^\s:@/]+@/,
};
/** Shorter ones are found everywhere. */
const MIN_SECRET_LENGTH = 8;

/** A secret in a log. */
export interface Leak {
  readonly what: string;
  readonly line: string;
}

/** Secrets in the lines of a log: those that look like one, and those that are given. */
export function leaksIn(log: string, secrets: ReadonlySet<string>): Leak[] {
  const found = [...secrets].filter((secret) => secret.length >= MIN_SECRET_LENGTH && log.includes(secret));
  return log.split('\n').flatMap((line) => {
    const looks = Object.entries(SHAPES).flatMap(([what, shape]) => (shape.test(line) ? [{ what, line }] : []));
    const isGiven = found.some((secret) => line.includes(secret));
    return isGiven ? [...looks, { what: 'a secret of a test', line }] : looks;
  });
}

/**
 * Searches all logs of a folder (`*.log`) for the secrets that tests have used (`*.secrets` beside them, one a line).
 *
 * @param others further logs, which may not be there.
 */
export async function searchLogs(
  folder: string,
  others: readonly string[],
): Promise<{ lines: number; secrets: number; leaks: Leak[] }> {
  const files = (await readdir(folder)).map((name) => path.join(folder, name));
  const read = async (suffix: string) => readAll(files.filter((file) => file.endsWith(suffix)));
  const used = (await read('.secrets')).split('\n').filter(Boolean);
  // In a line of JSON, a quote stands behind a backslash.
  const secrets = new Set(used.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  const log = `${await read('.log')}\n${await readAll(others)}`;
  return { lines: log.split('\n').length, secrets: secrets.size, leaks: leaksIn(log, secrets) };
}

async function readAll(files: readonly string[]): Promise<string> {
  const texts = files.map(async (file) => (existsSync(file) ? readFile(file, 'utf8') : ''));
  return (await Promise.all(texts)).join('\n');
}
