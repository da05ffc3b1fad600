import { now } from './api';
import type { Worker } from './types';

/** A worker tells of itself every 5 s; one that has been silent for so long is frozen, cut off or dead. */
const SILENT_SECONDS = 15;

/** Since the worker has last told of itself. */
export function silentSeconds({ seen_at: seenAt }: Worker): number {
  return Math.max((now() - Date.parse(seenAt)) / 1_000, 0);
}

export function isAlive(worker: Worker): boolean {
  return silentSeconds(worker) < SILENT_SECONDS;
}
