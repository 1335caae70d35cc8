import { randomFillSync } from 'node:crypto';

/** 128 bits: nobody guesses one, and no two are alike. */
const BYTES = 16;
const IDS = 256;

/**
 * Makes decision ids: 32 hexadecimal digits, random, like a trace id. Randomness is drawn for many at once, and each is
 * made in one piece: an id put together of parts would leave them all behind for the collector, at every check.
 */
export function createDecisionIds(fill: (bytes: Buffer) => void = randomFillSync): () => string {
  const pool = Buffer.alloc(IDS * BYTES);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      fill(pool);
      at = 0;
    }
    at += BYTES;
    return pool.toString('hex', at - BYTES, at);
  };
}
