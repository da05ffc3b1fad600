import { Logger } from '@nestjs/common';

/** What this process warns of while something is done. */
export async function warningsDuring<T>(work: () => Promise<T>): Promise<{ result: T; warnings: string[] }> {
  const { result, lines } = await linesDuring('warn', work);
  return { result, warnings: lines };
}

/** What this process logs as errors while something is done. */
export async function errorsDuring<T>(work: () => Promise<T>): Promise<{ result: T; errors: string[] }> {
  const { result, lines } = await linesDuring('error', work);
  return { result, errors: lines };
}

async function linesDuring<T>(
  level: 'warn' | 'error',
  work: () => Promise<T>,
): Promise<{ result: T; lines: string[] }> {
  const lines: string[] = [];
  const original = Object.getOwnPropertyDescriptor(Logger.prototype, level) ?? {};
  Logger.prototype[level] = (message: string, fields?: unknown) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  try {
    return { result: await work(), lines };
  } finally {
    Object.defineProperty(Logger.prototype, level, original);
  }
}
