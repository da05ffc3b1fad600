import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** `npm start -- --plugin FILE`, for the API and the worker; a file is looked for where npm was called. */
export function pluginFlags(): string[] {
  try {
    const { plugin = [] } = parseArgs({ options: { plugin: { type: 'string', multiple: true } } }).values;
    return plugin.flatMap((each) => {
      const file = path.resolve(process.env.INIT_CWD ?? '.', each);
      return ['--plugin', existsSync(file) ? file : each];
    });
  } catch (error) {
    console.error(`✗ ${error instanceof Error ? error.message : String(error)}. Use: npm start -- --plugin FILE`);
    process.exit(2);
  }
}
