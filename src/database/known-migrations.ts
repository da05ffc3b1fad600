import { readdirSync } from 'node:fs';

const FOLDER = new URL('../../migrations/', import.meta.url);

/** The timestamps of the migrations that this build brings, by which TypeORM names them in the table `migrations`. */
export function knownMigrations(): number[] {
  return readdirSync(FOLDER)
    .flatMap((file) => /^(\d{13})-[\w-]+\.[jt]s$/.exec(file)?.[1] ?? [])
    .map(Number);
}
