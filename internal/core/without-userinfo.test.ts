import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutUserinfo } from './without-userinfo.ts';

describe('withoutUserinfo()', () => {
  it('leaves a URL as it is written, but for a user and a password', () => {
    for (const [text, shown] of [
      ['https://sso.example.org', 'https://sso.example.org'],
      ['https://sso.example.org/a?mail=joe@example.org', 'https://sso.example.org/a?mail=joe@example.org'],
      ['https://joe:secret@sso.example.org/a?b', 'https://sso.example.org/a?b'],
      ['https://secret@sso.example.org/', 'https://sso.example.org/'],
      ['https:\\\\joe:secret@sso.example.org', 'https://sso.example.org/'],
      ['https://joe:se/cret@sso.example.org/keys', 'https://sso.example.org/keys'],
      ['https://joe:se\ncret@sso example.org', 'https://sso example.org'],
      ['joe', 'joe'],
    ] as const) {
      assert.equal(withoutUserinfo(text), shown);
    }
  });
});
