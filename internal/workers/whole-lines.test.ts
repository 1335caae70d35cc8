import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, it } from 'node:test';
import { RestartDelay } from './restart-delay.ts';
import { wholeLines } from './whole-lines.ts';

function linesOf(...pieces: readonly string[]): readonly string[] {
  const stream = new PassThrough();
  const told: string[] = [];
  wholeLines(stream, (lines) => told.push(lines));
  for (const piece of pieces) stream.emit('data', piece);
  return told;
}

describe('wholeLines()', () => {
  it('cuts only where lines end, and keeps what is not whole yet', () => {
    assert.deepEqual(linesOf('{"a":', '1}\n{"b":2}\n{"c"', ':3}\n'), ['{"a":1}\n{"b":2}\n', '{"c":3}\n']);
  });

  it('hands on what a process said last, though no line ended there', async () => {
    const stream = new PassThrough();
    const told: string[] = [];
    wholeLines(stream, (lines) => told.push(lines));
    stream.end('{"a":1}\nFATAL ERROR: heap');
    await finished(stream);
    assert.deepEqual(told, ['{"a":1}\n', 'FATAL ERROR: heap\n']);
  });

  it('keeps no text for ever that has no end of line', () => {
    const long = 'x'.repeat(3 * 1024 * 1024);
    assert.deepEqual(linesOf(long, long, 'rest\nnext\n'), ['rest\nnext\n']);
  });
});

describe('RestartDelay', () => {
  it('waits for nothing at first, then ever longer, up to half a minute', () => {
    const delay = new RestartDelay();
    assert.deepEqual(
      [10, 10, 10, 10, 10, 10, 10, 10].map((livedMs) => delay.after(livedMs)),
      [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
    );
  });

  it('begins anew after one that lived', () => {
    const delay = new RestartDelay();
    const delays = [10, 10, 60_000, 10].map((livedMs) => delay.after(livedMs));
    assert.deepEqual(delays, [0, 1000, 0, 1000]);
  });
});
