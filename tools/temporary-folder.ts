import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A new temporary folder that every user may enter, as a PostgreSQL that root starts for another user needs it. */
export async function createTemporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `order-system-${name}-`));
  await chmod(folder, 0o755);
  return folder;
}
