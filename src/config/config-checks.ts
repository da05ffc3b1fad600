import type { Config, Role } from './config.js';
import { isLoopback } from './loopback.js';

/** Shorter ones are guessed. */
const MIN_PASSWORD_LENGTH = 12;
/** Passwords that the example of an earlier version had, which anybody knows. */
const EXAMPLE_PASSWORD = /^change-me-/;
const DEFAULT_REDIS_PORT = '6379';

/** What is wrong with values that are right each by itself, a line each. */
export function checkConfig(config: Config, role: Role): string[] {
  return [...checkServices(config), ...(role === 'dashboard' ? checkDashboard(config) : [])];
}

/** Of a dashboard. */
const WITHOUT_DATABASE =
  'DATABASE_URL is not set: keys do not open the dashboard, and what is done in it is not recorded among the actions';

/** One line for each setting that works but is unsafe, such as services on other machines that are reached without TLS. */
export function warningsOf({ database, cache, queue }: Config): string[] {
  const urls = { DATABASE_URL: database.url, REDIS_URL: cache.url, QUEUE_REDIS_URL: queue.url };
  const unsafe = Object.entries(urls).flatMap(([name, value]) => {
    const url = new URL(value);
    if (isNear(url.hostname) || hasTls(url)) return [];
    return `${name} leads to another machine (${url.hostname}) without TLS: passwords and orders can be read in transit (docs/operations.md, "TLS")`;
  });
  return database.isThere ? unsafe : [WITHOUT_DATABASE, ...unsafe];
}

/** This machine, or a neighbour that is known by its first name alone: a container of the same network. */
function isNear(hostname: string): boolean {
  return hostname === '' || isLoopback(hostname) || !/[.:]/.test(hostname);
}

function hasTls({ protocol, searchParams }: URL): boolean {
  const mode = searchParams.get('sslmode') ?? (searchParams.get('ssl') === 'true' ? 'require' : 'disable');
  return protocol === 'rediss:' || !['disable', 'allow', 'prefer'].includes(mode);
}

function checkServices({ production, database, cache, queue }: Config): string[] {
  const problems: string[] = [];
  if (URL.canParse(database.url) && new URL(database.url).searchParams.has('options')) {
    problems.push(
      'DATABASE_URL must not have "options": it would replace the settings that this system gives each session; use ALTER ROLE … SET',
    );
  }
  if (cache.url !== '' && redisDatabaseOf(cache.url) === redisDatabaseOf(queue.url)) {
    problems.push('QUEUE_REDIS_URL must not be the database of REDIS_URL: a cache may be emptied, a queue may not');
  }
  const urls = { DATABASE_URL: database.url, REDIS_URL: cache.url, QUEUE_REDIS_URL: queue.url };
  for (const [name, url] of Object.entries(urls)) {
    if (production && URL.canParse(url) && EXAMPLE_PASSWORD.test(new URL(url).password)) {
      problems.push(`${name} has a password of the example, which anybody knows: change it`);
    }
  }
  return problems;
}

function checkDashboard({ production, host, access, database, dashboard: { user, password } }: Config): string[] {
  if (user === undefined || password === undefined) {
    if (!production && isLoopback(host)) {
      if (database.isThere || access.auth !== 'required') return [];
      return ['With AUTH=required the dashboard needs DATABASE_URL for keys, or DASHBOARD_USER and DASHBOARD_PASSWORD'];
    }
    return [
      `DASHBOARD_USER and DASHBOARD_PASSWORD must be set ${production ? 'in production' : `when HOST is ${host}, which others reach`}: ` +
        'the dashboard can remove jobs',
    ];
  }
  if (production && EXAMPLE_PASSWORD.test(password)) {
    return ['DASHBOARD_PASSWORD is the one of the example, which anybody knows: change it'];
  }
  if (password.length >= MIN_PASSWORD_LENGTH) return [];
  return [`DASHBOARD_PASSWORD must have at least ${MIN_PASSWORD_LENGTH} characters`];
}

/**
 * The server and the database that a URL of Redis leads to, however it is written: the default port and the default database may be
 * left out, and the names of this machine are one. Users, passwords and TLS make no difference.
 */
function redisDatabaseOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname, port, pathname, searchParams } = new URL(url);
  const host = isLoopback(hostname) ? 'localhost' : hostname.toLowerCase().replace(/\.$/, '');
  const database = Number(pathname.replace(/^\/+|\/+$/g, '') || (searchParams.get('db') ?? 0));
  return `${host}:${port || DEFAULT_REDIS_PORT}/${database}`;
}
