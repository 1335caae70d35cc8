import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isFieldValue } from './field-value.ts';

it('a field value holds no control character but the tab, and no lone surrogate', () => {
  for (let code = 0; code <= 0xff; code += 1) {
    const isControl = (code < 0x20 && code !== 0x09) || code === 0x7f;
    for (const rest of ['b', 'b'.repeat(200)])
      assert.equal(isFieldValue(`a${String.fromCharCode(code)}${rest}`), !isControl, code.toString(16));
  }
  assert.deepEqual(['', 'é', '\u{1f511}', '\ud83d', '\udd11a'].map(isFieldValue), [true, true, true, false, false]);
});
