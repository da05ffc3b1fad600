import { END_OF_ROWS } from './backup-format.js';

const NEWLINE = 10;
/** The longest line that a backup may have: no row of this system comes near it, and what is no backup may have no line at all. */
const MAX_LINE_BYTES = 4 * 1_048_576;

/** Reads a backup piece by piece: lines of JSON and, where the caller expects them, the rows of a table. */
export class BackupReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest = Buffer.alloc(0);

  constructor(input: AsyncIterable<Buffer>) {
    this.chunks = input[Symbol.asyncIterator]();
  }

  /** The next line. @throws Error at the end of the input. */
  async line(): Promise<unknown> {
    for (;;) {
      const end = this.rest.indexOf(NEWLINE);
      if (end >= 0) return JSON.parse(this.take(end + 1).toString());
      await this.more();
    }
  }

  /** What stands before the end of the rows, in pieces of whole lines. @throws Error at the end of the input. */
  async *rows(): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.rest.subarray(0, END_OF_ROWS.length).toString() === END_OF_ROWS) {
        this.take(END_OF_ROWS.length);
        return;
      }
      const end = this.rest.indexOf(`\n${END_OF_ROWS}`);
      const whole = (end >= 0 ? end : this.rest.lastIndexOf(NEWLINE)) + 1;
      if (whole > 0) yield this.take(whole);
      if (end < 0) await this.more();
    }
  }

  /** @throws Error when there is more, or what was read so far is not what was written. */
  async end(): Promise<void> {
    const next = await this.chunks.next();
    if (next.done !== true || this.rest.length > 0) throw new Error('The backup goes on after its last line');
  }

  private take(length: number): Buffer {
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }

  private async more(): Promise<void> {
    const next = await this.chunks.next();
    if (next.done === true) throw new Error('The backup is not whole: it ends in the middle');
    if (this.rest.length > MAX_LINE_BYTES)
      throw new Error('This is not a backup of this system: a line of it has no end');
    this.rest = Buffer.concat([this.rest, next.value]);
  }
}
