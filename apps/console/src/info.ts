import { signal } from '@preact/signals';
import { get } from './api';
import type { ConsoleInfo } from './types';

const RETRY_MS = 5_000;

/** What the console may do here; none until the API has told it. */
export const info = signal<ConsoleInfo | undefined>(undefined);

/** Whether the caller has a scope; also before that is known. */
export function may(scope: string): boolean {
  return info.value?.scopes.includes(scope) ?? true;
}

/** Asks until it is answered. */
export async function loadInfo(): Promise<void> {
  try {
    info.value = await get<ConsoleInfo>('ops/console');
  } catch {
    setTimeout(() => void loadInfo(), RETRY_MS);
  }
}
