import 'reflect-metadata';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { type Config, loadConfig, type Role } from './config/config.js';
import { createApi } from './create-api.js';
import { createDashboard } from './create-dashboard.js';
import { createWorker } from './create-worker.js';
import { runAudit } from './run-audit.js';

/** What the hard end of a stop waits beyond `SHUTDOWN_TIMEOUT_MS`: closing connections. */
const CLOSE_MARGIN_MS = 1_000;

const ROLES: Record<Exclude<Role, 'audit'>, (config: Config) => Promise<INestApplicationContext>> = {
  api: async (config) => {
    const app = await createApi(config);
    await app.listen(config.port, config.host);
    return app;
  },
  worker: createWorker,
  dashboard: async (config) => {
    const app = await createDashboard(config);
    await app.listen(config.dashboard.port, config.host);
    return app;
  },
};

async function main(): Promise<void> {
  const role = roleOf(process.argv.slice(2));
  const config = loadConfig(process.env, role);
  if (role === 'audit') process.exit(await runAudit(config));
  let app: INestApplicationContext | undefined;
  // Before anything is up: the first process of a container ignores a signal that it has no handler for.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void stop(app, config.shutdownTimeoutMs));
  }
  app = await ROLES[role](config);
  new Logger('Main').log(`The ${role} is up`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

function roleOf(flags: readonly string[]): Role {
  const known: Record<string, Role> = { '--worker': 'worker', '--dashboard': 'dashboard', '--audit': 'audit' };
  if (flags.length === 0) return 'api';
  const role = flags.length === 1 ? known[flags[0] ?? ''] : undefined;
  if (role === undefined)
    throw new Error(`Unknown arguments: ${flags.join(' ')}. Use none, --worker, --dashboard or --audit`);
  return role;
}

/** Ends in order; what does not end in time is cut off, and recovered from like any crash. */
async function stop(app: INestApplicationContext | undefined, timeoutMs: number): Promise<void> {
  setTimeout(() => process.exit(1), timeoutMs + CLOSE_MARGIN_MS).unref();
  await app?.close();
  process.exit(0);
}
