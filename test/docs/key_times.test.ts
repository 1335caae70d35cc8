import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  COOLDOWN_MS,
  DEFAULT_FRESH_MS,
  MAX_FRESH_MS,
  MAX_STALE_MS,
  MIN_FRESH_MS,
} from '../../internal/keys/remote-keys.ts';
import { readPage } from './page.ts';

describe('docs/key-rotation.md', () => {
  it('gives the times of the code for keys of issuers', () => {
    const page = readPage('docs/key-rotation.md');
    const minutes = (ms: number): number => ms / 60_000;
    for (const words of [
      `from ${minutes(MIN_FRESH_MS)} minute to ${minutes(MAX_FRESH_MS) / 60} hour; ${minutes(DEFAULT_FRESH_MS)} minutes`,
      `at most every ${COOLDOWN_MS / 1000} seconds`,
      `for up to ${minutes(MAX_STALE_MS) / 60} hours`,
    ])
      assert.ok(page.includes(words), words);
  });
});
