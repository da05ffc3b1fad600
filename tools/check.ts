/** `npm run check`: everything that CI runs, one step after the other; all steps run, and each failure is shown. */
import { spawn } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The tests hold the drift of openapi.json and the migrations up, down and up again as well. */
const STEPS: readonly [string, string][] = [
  ['format', 'prettier --check --log-level warn .'],
  ['lint', 'eslint --max-warnings 0 .'],
  ['types', 'tsc --noEmit && tsc --noEmit -p apps/console'],
  ['boundaries', 'depcruise src migrations'],
  ['dead code', 'knip --no-config-hints'],
  ['tests', 'npm test -- --coverage'],
];

const failed: string[] = [];
for (const [name, command] of STEPS) {
  const startedAt = Date.now();
  console.log(`\n▶ ${name}: ${command}`);
  const code = await run(command);
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`\n✗ failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** npm has put the folder of these programs on the PATH. */
async function run(command: string): Promise<number> {
  const child = spawn(command, { cwd: ROOT, shell: true, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));
}
