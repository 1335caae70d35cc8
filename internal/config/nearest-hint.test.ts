import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nearestHint } from './nearest-hint.ts';

it('nearestHint() names the nearest word, and never the word itself', () => {
  assert.equal(nearestHint('--prot', ['--port', '--policies']), ': the nearest is "--port"');
  assert.equal(nearestHint('--zzzzzzzz', ['--port']), ': none is like it, see --help');
  assert.equal(nearestHint('POSTERN_POLICIES', ['POSTERN_POLICIES']), ': none is like it, see --help');
});
