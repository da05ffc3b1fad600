import 'reflect-metadata';
import { lookup } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type Config, loadConfig, type Role } from '../config/config.js';
import { createApi } from './api/create-api.js';
import { createDashboard } from './dashboard/create-dashboard.js';
import { createWorker } from './worker/create-worker.js';
import { Stopping } from '../health/stopping.js';
import { runAudit } from './audit/run-audit.js';
import { runBackup, runRestore } from './backup/run-backup.js';
import { runDeadLetters } from './dead-letters/run-dead-letters.js';

/** What the hard end of a stop waits beyond `SHUTDOWN_TIMEOUT_MS`: closing connections. */
const CLOSE_MARGIN_MS = 1_000;

/** Not 1, which an audit says when something is off. */
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

/** What runs until it is stopped; anything else that is interrupted has not done what it should. */
const SERVICES: ReadonlySet<Role> = new Set(['api', 'worker', 'dashboard']);

interface Service {
  /** Where it listens. */
  url?: string;
  close: () => Promise<void>;
}

/** Starts what runs until it is stopped; what does one thing ends the process with its exit status. */
const ROLES: Record<Role, (config: Config) => Promise<Service>> = {
  api: async (config) => {
    const app = await createApi(config);
    await app.listen(config.port, await addressOf(config.host));
    return {
      url: await app.getUrl(),
      close: async () => {
        app.get(Stopping, { strict: false }).begin();
        await delay(config.shutdownDelayMs);
        await app.close();
      },
    };
  },
  worker: createWorker,
  dashboard: async (config) => {
    const app = await createDashboard(config);
    await app.listen(config.dashboard.port, await addressOf(config.host));
    return { url: await app.getUrl(), close: () => app.close() };
  },
  audit: async (config) => process.exit(await runAudit(config)),
  'dead-letters': async (config) => process.exit(await runDeadLetters(config, { redrive: false })),
  redrive: async (config) => process.exit(await runDeadLetters(config, { redrive: true })),
  backup: async (config) => process.exit(await runBackup(config)),
  restore: async (config) => process.exit(await runRestore(config)),
};

/** One address of a name: on a second one Fastify would listen by a server of its own, without the bounds of the first. */
async function addressOf(host: string): Promise<string> {
  return (await lookup(host, { order: 'ipv4first' })).address;
}

async function main(): Promise<void> {
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

main().catch((error: unknown) => {
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

/** Ends in order; what does not end in time is cut off, and recovered from like any crash. */
async function stop(service: Service | undefined, config: Config): Promise<void> {
  setTimeout(() => process.exit(1), config.shutdownDelayMs + config.shutdownTimeoutMs + CLOSE_MARGIN_MS).unref();
  await service?.close();
  process.exit(0);
}
