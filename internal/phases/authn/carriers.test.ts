import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_MEMBERS } from '../../core/attribute-readers.ts';
import { MAX_COOKIES } from '../../core/cookies.ts';
import type { Carrier } from '../../core/evaluation.ts';
import { aRequest } from './authn.fixture.ts';
import { overlap, readCarrier, SEVERAL } from './carriers.ts';

type Headers = readonly (readonly [string, string])[];

const read = (carrier: Carrier, headers: Headers, isJoined = false): string | undefined => {
  const held = readCarrier(carrier, aRequest({ headers, isJoined }));
  return held === SEVERAL ? 'SEVERAL' : held;
};
const HEADER: Carrier = { kind: 'header', name: 'x-api-key' };
const RAW: Carrier = { kind: 'header', name: 'authorization' };
const BEARER: Carrier = { kind: 'authorizationScheme', name: 'bearer' };
const COOKIE: Carrier = { kind: 'cookie', name: 'key' };

describe('readCarrier() of a header', () => {
  it('takes the one value, less the blanks around it, and nothing from an empty one', () => {
    assert.equal(read(HEADER, [['X-Api-Key', ' \tk1\t ']]), 'k1');
    assert.equal(read(HEADER, [['x-api-key', '']]), undefined);
    assert.equal(read(HEADER, [['x-api-key', ' \t']]), undefined);
    assert.equal(read(HEADER, []), undefined);
  });

  it('keeps blanks that HTTP does not know, or two keys would be equal', () => {
    for (const blank of ['\u00a0', '\ufeff', '\u2003', '\v', '\f']) {
      assert.equal(read(HEADER, [['x-api-key', `${blank}k1`]]), `${blank}k1`);
    }
  });

  it('holds several when repeated, also with an empty or the same value', () => {
    for (const other of ['k2', '', 'k1']) {
      assert.equal(
        read(HEADER, [
          ['x-api-key', 'k1'],
          ['x-api-key', other],
        ]),
        'SEVERAL',
      );
    }
  });

  it('holds several where Envoy joined lines, and one with a comma where it did not', () => {
    assert.equal(read(HEADER, [['x-api-key', 'k1,k2']], true), 'SEVERAL');
    assert.equal(read(HEADER, [['x-api-key', 'k1,']], true), 'SEVERAL');
    assert.equal(read(HEADER, [['x-api-key', 'k1,k2']]), 'k1,k2');
    assert.equal(read(RAW, [['authorization', 'k1,k2']]), 'SEVERAL');
  });

  it('holds several in a field that Envoy joins in either form', () => {
    for (const name of ['origin', 'x-forwarded-host', 'x-request-id'])
      assert.equal(read({ kind: 'header', name }, [[name, 'k1,k2']]), 'SEVERAL', name);
  });
});

describe('readCarrier() of an Authorization scheme', () => {
  it('takes its credential, whatever the case of the scheme, and leaves other schemes alone', () => {
    assert.equal(read(BEARER, [['authorization', 'bEaReR  abc ']]), 'abc');
    for (const other of ['Basic abc', 'Bearerabc', 'Bearer', 'Bearer  ', 'Bearer\t', '', 'abc', 'XBearer abc']) {
      assert.equal(read(BEARER, [['authorization', other]]), undefined, other);
    }
  });

  it('finds the credential behind a tab: it must not pass as none', () => {
    assert.equal(read(BEARER, [['authorization', 'Bearer\tabc']]), 'abc');
    assert.equal(read(BEARER, [['authorization', 'bearer \t abc\t']]), 'abc');
    assert.equal(read(BEARER, [['authorization', 'Basic x,Bearer\tabc']]), 'SEVERAL');
    assert.equal(read(BEARER, [['authorization', 'Bearer\u00a0abc']]), undefined);
  });

  it('holds several when lines were joined, in either form and beside another scheme', () => {
    for (const joined of [
      'Bearer a,Bearer b',
      'Bearer a, bearer b',
      'Basic x,Bearer b',
      'Bearer a,Basic x',
      'Bearer a,b',
      'Bearer a,',
    ]) {
      assert.equal(read(BEARER, [['authorization', joined]]), 'SEVERAL', joined);
    }
    assert.equal(
      read(BEARER, [
        ['authorization', 'Bearer a'],
        ['authorization', 'Basic b'],
      ]),
      'SEVERAL',
    );
  });

  it('looks through no more parts than anybody sends, and refuses what has more: 58 KB of commas cost 5 ms', () => {
    const parts = (count: number): string => Array.from({ length: count }, () => 'a').join();
    assert.equal(read(BEARER, [['authorization', parts(MAX_MEMBERS)]]), undefined);
    assert.equal(read(BEARER, [['authorization', parts(MAX_MEMBERS + 1)]]), 'SEVERAL');
    assert.equal(read(BEARER, [['authorization', `${','.repeat(58_000)}Bearer a`]]), 'SEVERAL');
  });

  it('is not confused by the parameters of another scheme', () => {
    assert.equal(read(BEARER, [['authorization', 'Digest username="bearer", realm="x"']]), undefined);
    assert.equal(
      read(BEARER, [
        ['authorization', 'Basic a'],
        ['authorization', 'Basic b'],
      ]),
      undefined,
    );
  });
});

describe('readCarrier() of a query parameter', () => {
  const ask = (query: string): string | undefined => {
    const held = readCarrier({ kind: 'query', name: 'key' }, aRequest({ query }));
    return held === SEVERAL ? 'SEVERAL' : held;
  };

  it('takes the decoded value as it stands', () => {
    assert.equal(ask('a=1&key=k%31'), 'k1');
    assert.equal(ask('key=%20k1'), ' k1');
    assert.equal(ask('key='), undefined);
    assert.equal(ask('Key=k1'), undefined);
  });

  it('holds several when repeated in any spelling', () => {
    for (const query of ['key=a&key=b', 'key=a&%6bey=b', 'key=&key=b', 'key&key=b'])
      assert.equal(ask(query), 'SEVERAL', query);
  });
});

describe('readCarrier() of a cookie', () => {
  it('takes the value between the separators, quotes included', () => {
    assert.equal(read(COOKIE, [['cookie', 'a=1; key=k1; b=2']]), 'k1');
    assert.equal(read(COOKIE, [['cookie', 'key=a=b']]), 'a=b');
    assert.equal(read(COOKIE, [['cookie', 'key="k1"']]), '"k1"');
    assert.equal(read(COOKIE, [['cookie', 'key=']]), undefined);
    assert.equal(read(COOKIE, [['cookie', 'Key=k1; xkey=k2; key']]), undefined);
  });

  it('holds several when the name comes twice, in one line, in two, or joined by Envoy', () => {
    assert.equal(read(COOKIE, [['cookie', 'key=a; key=b']]), 'SEVERAL');
    assert.equal(read(COOKIE, [['cookie', 'key=a;key =b']]), 'SEVERAL');
    assert.equal(
      read(COOKIE, [
        ['cookie', 'key=a'],
        ['cookie', 'key=b'],
      ]),
      'SEVERAL',
    );
    assert.equal(read(COOKIE, [['cookie', 'key=a,key=b']], true), 'SEVERAL');
    assert.equal(read(COOKIE, [['cookie', 'key=a; x=1,y=2; key=b']], true), 'SEVERAL');
  });

  it('holds several where there are more cookies than anybody has: 58 KB of semicolons cost 12 ms', () => {
    for (const separator of [';', ',']) {
      const cookies = (count: number): Headers => [['cookie', `key=k1${`${separator}a=1`.repeat(count - 1)}`]];
      assert.equal(read(COOKIE, cookies(MAX_COOKIES), true), 'k1');
      assert.equal(read(COOKIE, cookies(MAX_COOKIES + 1), true), 'SEVERAL');
    }
    assert.equal(read(COOKIE, [['cookie', ';'.repeat(58_000)]]), 'SEVERAL');
    assert.equal(
      read(
        COOKIE,
        Array.from({ length: MAX_COOKIES + 1 }, () => ['cookie', 'a=1'] as const),
      ),
      'SEVERAL',
    );
  });

  it('finds the cookie of a joined line, and refuses one that a comma may have cut', () => {
    assert.equal(read(COOKIE, [['cookie', 'a=1,key=k1; b=2']], true), 'k1');
    assert.equal(read(COOKIE, [['cookie', 'key=k1,a=1']], true), 'k1');
    assert.equal(read(COOKIE, [['cookie', 'key=k1,rest']], true), 'SEVERAL');
    assert.equal(read(COOKIE, [['cookie', 'key=k1,rest']]), 'k1,rest');
  });
});

describe('overlap()', () => {
  it('knows that the whole Authorization header holds every scheme of it', () => {
    assert.equal(overlap(RAW, BEARER), true);
    assert.equal(overlap(BEARER, RAW), true);
    assert.equal(overlap(BEARER, { kind: 'authorizationScheme', name: 'apikey' }), false);
    assert.equal(overlap(HEADER, { kind: 'query', name: 'x-api-key' }), false);
  });
});

describe('readCarrier()', () => {
  it('never gives a credential where two were sent (property)', () => {
    const text = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(text, text, fc.boolean(), (a, b, isJoined) => {
        for (const [carrier, name, one, two] of [
          [HEADER, 'x-api-key', a, b],
          [BEARER, 'authorization', `Bearer ${a}`, `Bearer ${b}`],
          [COOKIE, 'cookie', `key=${a}`, `x=1; key=${b}`],
        ] as const) {
          const lines: Headers = isJoined
            ? [[name, `${one},${two}`]]
            : [
                [name, one],
                [name, two],
              ];
          assert.equal(read(carrier, lines, isJoined), 'SEVERAL');
        }
      }),
    );
  });
});
