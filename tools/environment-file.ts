const NAMES = ['DATABASE_URL', 'DATABASE_OWNER_URL', 'DATABASE_READER_URL', 'REDIS_URL', 'QUEUE_REDIS_URL'];

/** The services of `npm start`, for the commands of this system (local-environment.ts). A quotation mark in a URL may be written as `%27`. */
export function environmentFileOf(environment: NodeJS.ProcessEnv): string {
  return NAMES.flatMap((name) => {
    const url = environment[name];
    return url === undefined || url === '' ? [] : `${name}='${url.replaceAll("'", '%27')}'\n`;
  }).join('');
}
