import { LIMITS } from '../config/limits.js';
import { DatabaseUnavailableError } from './database-errors.js';

/**
 * Notes when somebody got a connection last, so that what could only be refused later is refused at once: the work for it has not
 * begun.
 */
export class ConnectionStall {
  private grantedAt = 0;

  /** Somebody got one. */
  noteGrant(): void {
    this.grantedAt = performance.now();
  }

  /** The refusal of one more beside so many who wait; `undefined` when it may wait as well. */
  refusalBeside(waiting: number): DatabaseUnavailableError | undefined {
    if (waiting === 0) this.noteGrant();
    const { connectionsWaiting, connectionStallMs } = LIMITS;
    const isStalled = performance.now() - this.grantedAt > connectionStallMs;
    if (waiting < connectionsWaiting && !isStalled) return undefined;
    return new DatabaseUnavailableError(new Error('All connections are in use'));
  }
}
