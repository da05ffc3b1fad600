/**
 * Loaded into every process of a test run (`NODE_OPTIONS`): keeps a copy of what it logs in the folder `TEST_LOGS`, which is searched for
 * secrets at the end (`tools/leaks.ts`).
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';

const folder = process.env.TEST_LOGS;
const [, program = '', ...args] = process.argv;
const isJest = program.includes('jest');
/** What a command writes to its standard output is its result: a key, a backup. */
const isCommand =
  program.endsWith('main.js') && args.some((flag) => /^--(?!worker|dashboard|plugin|import)/.test(flag));

/** Jest shows what it is doing beside what the APIs in its process log, of which only failures are shown to whoever watches. */
function keepOutputOf(stream, isKept, isShown) {
  const write = stream.write.bind(stream);
  stream.write = (chunk, ...rest) => {
    const text = String(chunk);
    if (isKept(text)) appendFileSync(path.join(folder, `${process.pid}.log`), chunk);
    if (isShown(text)) return write(chunk, ...rest);
    rest.findLast((each) => typeof each === 'function')?.();
    return true;
  };
}

const isLine = (text) => text.startsWith('{"level":');
const isFailure = (text) => /^\{"level":"(error|fatal)"/.test(text);

if (folder !== undefined) {
  if (isJest) keepOutputOf(process.stdout, isLine, (text) => !isLine(text) || isFailure(text));
  else {
    if (!isCommand)
      keepOutputOf(
        process.stdout,
        () => true,
        () => true,
      );
    keepOutputOf(
      process.stderr,
      () => true,
      () => true,
    );
  }
}
