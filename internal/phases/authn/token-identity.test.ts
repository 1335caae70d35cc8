import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { identityId } from '../../core/identity.ts';
import { ISSUER, NOW_S } from './authn.fixture.ts';
import { identityOfToken } from './token-identity.ts';

const METHOD = { name: 'sso', issuer: ISSUER, groupsPath: undefined };

describe('identity.id', () => {
  it('is what the README says, worked out by hand', () => {
    const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
    const rows = [...readme.matchAll(/^\| `(apiKey|jwt)` *\| `([^`]+)` *\| `([^`]+)` *\| `([A-Za-z0-9_-]{22})` \|$/gm)];
    assert.equal(rows.length, 3);
    for (const [, kind = '', issuer = '', subject = '', id = ''] of rows) {
      const fields = [kind, issuer, subject].flatMap((text) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(Buffer.byteLength(text));
        return [length, Buffer.from(text)];
      });
      assert.equal(hash('sha256', Buffer.concat(fields), 'buffer').subarray(0, 16).toString('base64url'), id);
      assert.equal(identityId(kind, issuer, subject), id);
    }
  });

  it('keeps kind, issuer and subject apart (property)', () => {
    const text = fc.string({ maxLength: 6 });
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        assert.notEqual(identityId('jwt', a, b), identityId('jwt', c, d));
      }),
    );
  });
});

describe('identityOfToken()', () => {
  it('gives a token without a subject an id all the same: no limit by id may be skipped for it', () => {
    for (const sub of [undefined, '', null, 7]) {
      const { subject, id } = identityOfToken(sub === undefined ? {} : { sub }, METHOD);
      assert.deepEqual([subject, id], [null, identityId('jwt', ISSUER, '')]);
    }
  });

  it('says when the user logged in only where that is a time', () => {
    const at = (auth_time: unknown): unknown => identityOfToken({ sub: 'ann', auth_time }, METHOD).authTimeMs;
    assert.equal(at(NOW_S), NOW_S * 1000);
    for (const time of [undefined, null, '1', Number.POSITIVE_INFINITY, Number.NaN, 1e300, -1e300]) {
      assert.equal(at(time), null, String(time));
    }
  });

  it('takes groups by their path, own members and texts only', () => {
    const groups = (claims: object, ...groupsPath: string[]): readonly string[] =>
      identityOfToken({ sub: 'ann', ...claims }, { ...METHOD, groupsPath }).groups;
    assert.deepEqual(groups({ a: { b: ['x', 1, null, 'y'] } }, 'a', 'b'), ['x', 'y']);
    assert.deepEqual(groups({ a: 'x y' }, 'a'), ['x y']);
    assert.deepEqual(groups({ a: '' }, 'a'), []);
    assert.deepEqual(groups({ a: { b: 1 } }, 'a', 'c'), []);
    assert.deepEqual(groups({}, 'constructor', 'name'), []);
    assert.deepEqual(groups({ a: ['x'] }, 'a', '0'), ['x']);
  });
});
