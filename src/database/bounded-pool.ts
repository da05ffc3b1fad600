import pg from 'pg';
import { LIMITS } from '../config/limits.js';
import { DatabaseUnavailableError } from './database-errors.js';

type OnConnection = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

/** A pool that refuses at once what it could only refuse later: the work for it has not begun. */
export class BoundedPool extends pg.Pool {
  private grantedAt = 0;

  constructor(options?: pg.PoolConfig) {
    super(options);
    // PostgreSQL can end a connection in the very packet in which it lets the client in. The pool has stopped listening then, and who gets the
    // connection has not begun: an error that nobody listens for ends the process. The next statement fails with it all the same.
    this.on('connect', (client) => client.on('error', () => undefined));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: OnConnection): void;
  override connect(callback?: OnConnection): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) return super.connect();
    if (this.waitingCount === 0) this.grantedAt = performance.now();
    const { connectionsWaiting, connectionStallMs } = LIMITS;
    if (this.waitingCount >= connectionsWaiting || performance.now() - this.grantedAt > connectionStallMs) {
      const error = new DatabaseUnavailableError(new Error('All connections are in use'));
      callback(error, undefined, () => undefined);
      return undefined;
    }
    super.connect((error, client, release) => {
      if (error === undefined) this.grantedAt = performance.now();
      callback(error, client, release);
    });
    return undefined;
  }
}
