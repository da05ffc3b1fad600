import pg from 'pg';
import { ConnectionStall } from './connection-stall.js';

type OnConnection = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

/** A pool that refuses at once what it could only refuse later: the work for it has not begun. */
export class BoundedPool extends pg.Pool {
  private readonly stall = new ConnectionStall();

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
    const refusal = this.stall.refusalBeside(this.waitingCount);
    if (refusal !== undefined) {
      callback(refusal, undefined, () => undefined);
      return undefined;
    }
    super.connect((error, client, release) => {
      if (error === undefined) this.stall.noteGrant();
      callback(error, client, release);
    });
    return undefined;
  }
}
