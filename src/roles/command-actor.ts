import { userInfo } from 'node:os';

/** Who runs a command of this machine, for the records. */
export function commandActor(): string {
  return `command:${userName()}`;
}

/** In a container it may have none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
