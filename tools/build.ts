import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BUILD, BUILD_CONSOLE } from './commands.ts';

const SOURCES = [
  'src/**/*.ts',
  'migrations/*.ts',
  'apps/console/{src/**/*.*,*.*}',
  'tsconfig*.json',
  'nest-cli.json',
  'package-lock.json',
];

/**
 * Compiles the code and the console with `run`, which runs a program of Node.js in the root, unless `dist` was compiled from just these
 * sources: the compiler takes ten seconds to
 * find out by itself. `dist` is made anew, so nothing of another branch stays in it.
 */
export async function buildIfChanged(root: string, run: (program: readonly string[]) => Promise<void>): Promise<void> {
  const stamp = path.join(root, 'dist/sources.sha256');
  const hash = hashOf(root);
  const isBuilt = existsSync(stamp) && existsSync(path.join(root, 'apps/console/dist/index.html'));
  if (isBuilt && readFileSync(stamp, 'utf8') === hash && !isTouchedSince(root, stamp)) return;
  for (const program of [BUILD, BUILD_CONSOLE]) await run(program);
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
