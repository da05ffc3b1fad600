import { LIMITS } from '../../config/limits.js';
import { Log } from '../../runtime/log.js';
import { networkOf } from './network.js';

const WINDOW_MS = 60_000;
/** Of more, the oldest are forgotten. */
const MAX_ADDRESSES = 10_000;
interface Guesses {
  count: number;
  /** As `performance.now` tells it. */
  readonly since: number;
}

/** Wrong credentials of the last minute, by address: beyond {@link LIMITS.guessesPerMinute} none are looked at. */
export class GuessLimit {
  private readonly logger = new Log('Credentials');
  private readonly byAddress = new Map<string, Guesses>();

  /** Whole seconds until credentials of this address are looked at again; 0 when they are. */
  waitSecondsOf(address: string | undefined): number {
    const guesses = this.byAddress.get(networkOf(address));
    if (guesses === undefined || guesses.count < LIMITS.guessesPerMinute) return 0;
    return Math.max(0, Math.ceil((guesses.since + WINDOW_MS - performance.now()) / 1_000));
  }

  /** Notes wrong credentials. The first of a minute is told in the log, and the last that is looked at. */
  note(address: string | undefined): void {
    const now = performance.now();
    const network = networkOf(address);
    const before = this.byAddress.get(network);
    const guesses = before !== undefined && now - before.since < WINDOW_MS ? before : { count: 0, since: now };
    guesses.count++;
    this.byAddress.delete(network);
    this.byAddress.set(network, guesses);
    const [oldest] = this.byAddress.keys();
    if (this.byAddress.size > MAX_ADDRESSES && oldest !== undefined) this.byAddress.delete(oldest);
    if (guesses.count === 1) this.logger.warn('Wrong credentials', { address });
    if (guesses.count === LIMITS.guessesPerMinute) {
      this.logger.warn('Too many wrong credentials: no more are looked at for a minute', { address });
    }
  }
}
