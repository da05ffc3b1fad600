import type { EnvironmentReader } from './environment-reader.js';

/** Whether callers have to say who they are. */
export type Authentication = 'off' | 'optional' | 'required';

/** Who may come in. */
export interface AccessPolicy {
  /** `undefined`: nobody is asked who can only be a user of the machine itself, everybody else is. */
  readonly auth: Authentication | undefined;
  /** Whether the documentation pages are open to everybody. */
  readonly docsArePublic: boolean;
}

export function readAccess(reader: EnvironmentReader): AccessPolicy {
  const auth = reader.optional('AUTH');
  const docs = reader.optional('DOCS');
  return {
    auth: auth === undefined ? undefined : reader.oneOf('AUTH', ['off', 'optional', 'required'], 'required'),
    docsArePublic: docs !== undefined && reader.oneOf('DOCS', ['public', 'private'], 'private') === 'public',
  };
}
