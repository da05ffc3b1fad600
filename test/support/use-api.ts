import { type Api, startApi } from './api.js';
import { createEnvironment, type Environment } from './environment.js';

/** An API on a fresh database for all tests of the file or block; it is there when the first of them begins. */
export function useApi(overrides?: Record<string, string>): { environment: Environment; api: Api } {
  const shared = { environment: {} as Environment, api: {} as Api };

  beforeAll(async () => {
    Object.assign(shared.environment, await createEnvironment(overrides));
    Object.assign(shared.api, await startApi(shared.environment.config));
  });

  afterAll(async () => {
    await shared.api.close();
    await shared.environment.close();
  });

  return shared;
}
