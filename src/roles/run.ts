import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { type Config, loadConfig, type Role } from '../config/config.js';
import { warningsOf } from '../config/config-checks.js';
import { LIMITS } from '../config/limits.js';
import { keepShapes } from '../runtime/kept-shapes.js';
import { Log } from '../runtime/log.js';
import { watchEventLoop } from '../runtime/watchdog.js';
import { NO_METRICS, startMetrics } from './metrics.js';
import type { RepairOptions } from './repair/run-repair.js';
import type { Service } from './service.js';

/** How long the hard end of a stop waits beyond `SHUTDOWN_TIMEOUT_MS`, for connections to close. */
const CLOSE_MARGIN_MS = 1_000;

/** The exit status of a process that could not do its work. Not 1: an audit exits with 1 when it has findings. */
const NOT_DONE = 2;

const FLAGS: Readonly<Record<string, Role>> = {
  '--worker': 'worker',
  '--dashboard': 'dashboard',
  '--audit': 'audit',
  '--flash-sale': 'flash-sale',
  '--repair': 'repair',
  '--dead-letters': 'dead-letters',
  '--redrive': 'redrive',
  '--parked-events': 'parked-events',
  '--retry-events': 'retry-events',
  '--backup': 'backup',
  '--restore': 'restore',
  '--database-roles': 'database-roles',
  '--keys': 'keys',
};

const OPTIONS = {
  plugin: { type: 'string', multiple: true },
  reason: { type: 'string' },
  yes: { type: 'boolean' },
  api: { type: 'string' },
  ...Object.fromEntries(Object.keys(FLAGS).map((flag) => [flag.slice('--'.length), { type: 'boolean' }])),
} as const;

/** The roles that run until they are stopped. A command has no handler, so a signal ends it, and its work is not done. */
const SERVICES: ReadonlySet<Role> = new Set(['api', 'worker', 'dashboard']);

/** What commands take beside their flag. */
interface CommandOptions extends RepairOptions {
  /** Of a flash sale: the address of the API. */
  readonly api: string | undefined;
  /** Of `--keys`, which reads them itself. */
  readonly keys: readonly string[];
}

/**
 * Starts a service, or runs a command and gives the exit status of the process. Only the code of the role is loaded: with that of all
 * roles and of HTTP, a worker takes 2.1 s to start instead of 1.3, and 34 MiB more.
 */
const ROLES: Record<Role, (config: Config, options: CommandOptions) => Promise<Service | number>> = {
  api: async (config) => (await import('./api/start-api.js')).startApi(config),
  worker: async (config) => (await import('./worker/start-worker.js')).startWorker(config),
  dashboard: async (config) => (await import('./dashboard/start-dashboard.js')).startDashboard(config),
  audit: async (config) => (await import('./audit/run-audit.js')).runAudit(config),
  'flash-sale': async (config, { api }) => (await import('./flash-sale/run-flash-sale.js')).runFlashSale(config, api),
  repair: async (config, options) => (await import('./repair/run-repair.js')).runRepair(config, options),
  'dead-letters': async (config) =>
    (await import('./dead-letters/run-dead-letters.js')).runDeadLetters(config, { redrive: false }),
  redrive: async (config) =>
    (await import('./dead-letters/run-dead-letters.js')).runDeadLetters(config, { redrive: true }),
  'parked-events': async (config) =>
    (await import('./parked-events/run-parked-events.js')).runParkedEvents(config, { retry: false }),
  'retry-events': async (config) =>
    (await import('./parked-events/run-parked-events.js')).runParkedEvents(config, { retry: true }),
  backup: async (config) => (await import('./backup/run-backup.js')).runBackup(config),
  restore: async (config) => (await import('./restore/run-restore.js')).runRestore(config),
  'database-roles': async (config) => (await import('./database-roles/run-database-roles.js')).runDatabaseRoles(config),
  keys: async (config, { keys }) => (await import('./keys/run-keys.js')).runKeys(config, keys),
};

async function run(): Promise<void> {
  keepShapes();
  const { role, plugins, options } = parseArguments(process.argv.slice(2));
  const config = loadConfig(process.env, role, plugins);
  let service: Service | undefined;
  // Before the start: process 1 of a container ignores signals without a handler.
  if (SERVICES.has(role)) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(service, config));
  }
  if (SERVICES.has(role)) watchEventLoop(LIMITS.eventLoopStallMs);
  const endTracing = SERVICES.has(role) ? await startTracing(config, role) : () => Promise.resolve();
  const check = async () => service?.check() ?? { status: 'not_ready' };
  const metrics = SERVICES.has(role) ? await startMetrics(config, role, check) : NO_METRICS;
  const started = await ROLES[role](config, options);
  if (typeof started === 'number') process.exit(started);
  const close = () => {
    metrics.tellStopping();
    return started.close().finally(endTracing);
  };
  service = { ...started, close };
  metrics.tellUp();
  const logger = new Log('Main');
  for (const warning of warningsOf(config)) logger.warn(warning);
  logger.info(`The ${role} is up`, { url: service.url });
}

run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(NOT_DONE);
});

/** Loads the SDK of OpenTelemetry only when it is used. */
async function startTracing({ tracing }: Config, role: Role): Promise<() => Promise<void>> {
  if (tracing === undefined) return () => Promise.resolve();
  const sdk = await import('../telemetry/tracing-sdk.js');
  return sdk.startTracing(tracing, role);
}

interface Arguments {
  readonly role: Role;
  readonly plugins: readonly string[];
  readonly options: CommandOptions;
}

/** A role's flag, or none for the API; and the plug-ins of the API or the worker, which add to `PLUGINS`. */
function parseArguments([...args]: readonly string[]): Arguments {
  // What stands behind it is its own.
  const keys = args[0] === '--keys' ? args.splice(1) : [];
  const { plugin: plugins = [], reason, yes, api, ...flags } = valuesOf(args);
  // `npm run audit -- --repair` has both.
  const isRepair = 'repair' in flags;
  const [role = 'api', ...others] = Object.keys(flags).flatMap((flag) =>
    isRepair && flag === 'audit' ? [] : (FLAGS[`--${flag}`] ?? []),
  );
  const takesPlugins = role === 'api' || role === 'worker';
  if (others.length > 0 || (plugins.length > 0 && !takesPlugins)) refuse(args);
  if (!isRepair && (reason !== undefined || yes !== undefined)) refuse(args);
  return { role, plugins, options: { reason, yes: yes ?? false, api, keys } };
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch {
    return refuse(args);
  }
}

function refuse(args: readonly string[]): never {
  throw new Error(
    `Unknown arguments: ${args.join(' ')}. Use none, or one of ${Object.keys(FLAGS).join(', ')}; ` +
      'the API and the worker also take --plugin FILE, --repair takes --reason TEXT and --yes',
  );
}

/** Stops the service in order. A service that does not stop in time is cut off, which is recovered from like a crash. */
async function stop(service: Service | undefined, config: Config): Promise<void> {
  setTimeout(() => process.exit(1), config.shutdownDelayMs + config.shutdownTimeoutMs + CLOSE_MARGIN_MS).unref();
  await service?.close();
  process.exit(0);
}
