import { Logger } from '@nestjs/common';

/** What this process warns of while something is done. */
export async function warningsDuring<T>(work: () => Promise<T>): Promise<{ result: T; warnings: string[] }> {
  const warnings: string[] = [];
  const original = Object.getOwnPropertyDescriptor(Logger.prototype, 'warn') ?? {};
  Logger.prototype.warn = (line: string) => void warnings.push(line);
  try {
    return { result: await work(), warnings };
  } finally {
    Object.defineProperty(Logger.prototype, 'warn', original);
  }
}
