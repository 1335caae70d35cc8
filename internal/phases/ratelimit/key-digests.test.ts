import assert from 'node:assert/strict';
import { it } from 'node:test';
import { digest } from './compile.ts';
import { KeyDigests } from './key-digests.ts';

it('KeyDigests gives every key its own digest, again and again, whatever else it was asked', () => {
  const digests = new KeyDigests();
  const keys = ['', 'v1', 'n', 'v'.repeat(64), 'v'.repeat(65), ...Array.from({ length: 20_000 }, (_, i) => `v${i}`)];
  for (let round = 0; round < 2; round += 1) {
    for (const key of keys) if (digests.of(key) !== digest([key])) assert.fail(key);
  }
});
