import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SOURCES = ['src/**/*.ts', 'migrations/*.ts', 'tsconfig*.json', 'nest-cli.json', 'package-lock.json'];

/**
 * Compiles the code with `compile`, unless `dist` was compiled from just these sources: the compiler takes ten seconds to
 * find out by itself. `dist` is made anew, so nothing of another branch stays in it.
 */
export async function buildIfChanged(root: string, compile: () => Promise<void>): Promise<void> {
  const stamp = path.join(root, 'dist/sources.sha256');
  const hash = hashOf(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash && !isTouchedSince(root, stamp)) return;
  await compile();
  writeFileSync(stamp, hash);
}

/** Something else has compiled into `dist` since, `npm run start:dev` for one. */
function isTouchedSince(root: string, stamp: string): boolean {
  const { mtimeMs } = statSync(stamp);
  return globSync('dist/**/*.js', { cwd: root }).some((file) => statSync(path.join(root, file)).mtimeMs > mtimeMs);
}

function hashOf(root: string): string {
  const hash = createHash('sha256');
  for (const file of globSync(SOURCES, { cwd: root }).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}
