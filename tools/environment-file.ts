/** The variables that name a service which `npm start` can bring up. */
export const SERVICES = ['DATABASE_URL', 'DATABASE_OWNER_URL', 'DATABASE_READER_URL', 'REDIS_URL', 'QUEUE_REDIS_URL'];

/** What a command may know beside them: where the API is. */
const OTHERS = ['API_URL'];

/**
 * Writes the services of `npm start` down for the commands of this system, which read them by local-environment.ts. A quotation mark in a URL
 * becomes `%27`.
 */
export function environmentFileOf(environment: NodeJS.ProcessEnv): string {
  return [...SERVICES, ...OTHERS]
    .flatMap((name) => {
      const url = environment[name];
      return url === undefined || url === '' ? [] : `${name}='${url.replaceAll("'", '%27')}'\n`;
    })
    .join('');
}
