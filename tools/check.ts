/** `npm run check`: everything that CI runs, one step after the other; all steps run, and each failure is shown. */
import { spawn } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The tests hold the drift of openapi.json and the migrations up, down and up again as well. */
const STEPS: readonly [string, readonly string[]][] = [
  ['format', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  ['lint', ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.']],
  ['types', ['node_modules/typescript/bin/tsc', '--noEmit']],
  ['boundaries', ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', 'migrations']],
  ['dead code', ['node_modules/knip/bin/knip.js', '--no-config-hints']],
  ['tests', ['tools/test.ts', '--coverage']],
];

const failed: string[] = [];
for (const [name, args] of STEPS) {
  const startedAt = Date.now();
  console.log(`\n▶ ${name}`);
  const code = await run(args);
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`\n✗ failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function run(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));
}
