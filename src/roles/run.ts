import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { type Config, loadConfig, type Role } from '../config/config.js';
import { startApi } from './api/start-api.js';
import { runAudit } from './audit/run-audit.js';
import { runBackup } from './backup/run-backup.js';
import { startDashboard } from './dashboard/start-dashboard.js';
import { runDeadLetters } from './dead-letters/run-dead-letters.js';
import { runRestore } from './restore/run-restore.js';
import type { Service } from './service.js';
import { createWorker } from './worker/create-worker.js';

/** How long the hard end of a stop waits beyond `SHUTDOWN_TIMEOUT_MS`, for connections to close. */
const CLOSE_MARGIN_MS = 1_000;

/** The exit status of a process that could not do its work. Not 1: an audit exits with 1 when it has findings. */
const NOT_DONE = 2;

const FLAGS: Readonly<Record<string, Role>> = {
  '--worker': 'worker',
  '--dashboard': 'dashboard',
  '--audit': 'audit',
  '--dead-letters': 'dead-letters',
  '--redrive': 'redrive',
  '--backup': 'backup',
  '--restore': 'restore',
};

/** The roles that run until they are stopped. Any other role that is interrupted has not done its work. */
const SERVICES: ReadonlySet<Role> = new Set(['api', 'worker', 'dashboard']);

/** Starts a service, or runs a command and ends the process with its exit status. */
const ROLES: Record<Role, (config: Config) => Promise<Service>> = {
  api: startApi,
  worker: createWorker,
  dashboard: startDashboard,
  audit: async (config) => process.exit(await runAudit(config)),
  'dead-letters': async (config) => process.exit(await runDeadLetters(config, { redrive: false })),
  redrive: async (config) => process.exit(await runDeadLetters(config, { redrive: true })),
  backup: async (config) => process.exit(await runBackup(config)),
  restore: async (config) => process.exit(await runRestore(config)),
};

async function run(): Promise<void> {
  const role = roleOf(process.argv.slice(2));
  const config = loadConfig(process.env, role);
  let service: Service | undefined;
  // Before anything is up: the first process of a container ignores a signal that it has no handler for.
  if (SERVICES.has(role)) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(service, config));
  }
  service = await ROLES[role](config);
  new Logger('Main').log(`The ${role} is up${service.url === undefined ? '' : ` on ${service.url}`}`);
}

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(NOT_DONE);
});

function roleOf([flag, ...others]: readonly string[]): Role {
  if (flag === undefined) return 'api';
  const role = others.length === 0 ? FLAGS[flag] : undefined;
  if (role === undefined) {
    const known = Object.keys(FLAGS).join(', ');
    throw new Error(`Unknown arguments: ${[flag, ...others].join(' ')}. Use none, or one of ${known}`);
  }
  return role;
}

/** Stops the service in order. A service that does not stop in time is cut off, which is recovered from like a crash. */
async function stop(service: Service | undefined, config: Config): Promise<void> {
  setTimeout(() => process.exit(1), config.shutdownDelayMs + config.shutdownTimeoutMs + CLOSE_MARGIN_MS).unref();
  await service?.close();
  process.exit(0);
}
