import type * as Configuration from '../src/config/config.ts';

/** Of the build: not known to the compiler. */
const CONFIG_OF_BUILD: string = '../dist/src/config/config.js';
/** For the services that are not given, and will be brought up. */
const SERVICES = { DATABASE_URL: 'postgres://127.0.0.1/orders', REDIS_URL: 'redis://127.0.0.1' };

/**
 * Checks what the roles will read, before anything is brought up.
 *
 * @throws ConfigError with all problems of all roles.
 */
export async function checkVariables(environment: NodeJS.ProcessEnv): Promise<void> {
  const { loadConfig, ConfigError } = (await import(CONFIG_OF_BUILD)) as typeof Configuration;
  const problems = (['api', 'worker', 'dashboard'] as const).flatMap((role) => {
    try {
      loadConfig({ ...SERVICES, ...environment }, role);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  });
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
}
