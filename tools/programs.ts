/** Programs of the machine: found, or installed where that can be done without asking. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const FOLDERS = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => path.join(folder, name)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** On Debian, as root. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

/**
 * Installs the Debian package that brings a program, and finds the program; `undefined` when that fails. `RUNLEVEL=1`
 * keeps the package from starting a service of its own.
 */
export async function installFromDebian(debianPackage: string, program: string): Promise<string | undefined> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = () => execute('apt-get', ['install', '-y', '-qq', '--no-install-recommends', debianPackage], { env });
  try {
    await install().catch(async () => {
      await execute('apt-get', ['update', '-qq'], { env });
      await install();
    });
  } catch {
    return undefined;
  }
  return findProgram(program);
}
