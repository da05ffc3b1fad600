import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { preParsingHookHandler } from 'fastify';

/** What is kept at once of a body that comes in small chunks. */
const BLOCK_BYTES = 16_384;

/**
 * Joins the chunks of a body that says no length. Whoever reads a body keeps its chunks until the last is there, and one of a single byte
 * costs hundreds: a body within the limit would take hundreds of times its size.
 */
// eslint-disable-next-line no-restricted-syntax -- the hook's own parameters
export const joinChunks: preParsingHookHandler = (request, _reply, payload, done) => {
  if (request.headers['transfer-encoding'] === undefined) {
    done(null, payload);
    return;
  }
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  const joined = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      for (let from = 0; from < chunk.length;) {
        const copied = chunk.copy(block, filled, from);
        from += copied;
        filled += copied;
        if (filled === BLOCK_BYTES) {
          this.push(block);
          block = Buffer.allocUnsafe(BLOCK_BYTES);
          filled = 0;
        }
      }
      next();
    },
    flush(next) {
      if (filled > 0) this.push(block.subarray(0, filled));
      next();
    },
  });
  // Whoever reads `joined` is told of its end and of its failure.
  pipeline(payload, joined).catch(() => undefined);
  done(null, joined);
};
