import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalPath, MAX_PATH_LENGTH } from './canonical-path.ts';

const pathOf = (raw: string): string | undefined => {
  const result = canonicalPath(raw);
  return result.ok ? result.path : undefined;
};

describe('canonicalPath()', () => {
  it('gives every spelling of one path the same text', () => {
    const spellings: readonly (readonly [string, string])[] = [
      ['/', '/'],
      ['/admin', '/admin'],
      ['/admin/', '/admin'],
      ['/%61dmin', '/admin'],
      ['/admin%7e', '/admin~'],
      ['/a%20b', '/a%20b'],
      ['/caf%c3%a9', '/caf%C3%A9'],
      ['/a%3ab@c', '/a:b@c'],
      ['/v1/users/42', '/v1/users/42'],
      ['/file.txt', '/file.txt'],
      ['/.well-known/x', '/.well-known/x'],
      ['/100%25', '/100%25'],
      ['/a%2520b', '/a%2520b'],
      ['/...', '/...'],
      ['/ADMIN', '/ADMIN'],
      ['/admin%23/x', '/admin%23/x'],
      ['/a%3Fb', '/a%3Fb'],
    ];
    for (const [raw, expected] of spellings) assert.equal(pathOf(raw), expected, raw);
  });

  it('refuses whatever an upstream could read in another way', () => {
    const refused = [
      '',
      '*',
      'admin/x',
      '//admin',
      '///admin',
      '/admin//x',
      '/public/../admin',
      '/public/%2e%2e/admin',
      '/./admin',
      '/..',
      '/public/..;/admin',
      '/public/%2e%2e;/admin',
      '/public/..;x=y/admin',
      '/public/.%2e/admin',
      '/public/..%2fadmin',
      '/public/..%5cadmin',
      '/public\\..\\admin',
      '/a%5cb',
      '/public/%252e%252e/admin',
      '/%2561dmin',
      '/a%252fb',
      '/a%255cb',
      '/a%2500',
      '/a%253bb',
      '/public/%25c0%25ae%25c0%25ae/admin',
      '/a%25ef%25bc%258fb',
      '/a%25e2%2580%25a4/b',
      '/a%25c2%2585',
      '/a%2580',
      '/..%c0%af',
      '/%c0%ae%c0%ae/x',
      '/%u002e',
      '/%zz',
      '/a%',
      '/a%2',
      '/admin%00',
      '/a%0ab',
      '/a%7f',
      '/a#b',
      '/a b',
      '/a\tb',
      '/é',
      '/%ef%bc%8f',
      '/%ef%bc%8e%ef%bc%8e/x',
      '/a%e2%84%80',
      '/%e2%80%a5/x',
      '/a%ef%bc%bb%ef%b9%94x',
      '/;/admin',
      '/%3b/admin',
      '/a/;x',
      '/a%2f',
      '/%2fadmin',
      '/a%2f%2fb',
      '/a%2f..%2fb',
      '/a%c2%80',
      '/a%c2%85',
      `/${'a'.repeat(MAX_PATH_LENGTH)}`,
      '/a'.repeat(300),
      'http://example.org/admin',
    ];
    for (const raw of refused) assert.equal(pathOf(raw), undefined, JSON.stringify(raw));
  });

  it('keeps encoded slashes and semicolons as readings for the policy to judge', () => {
    const result = canonicalPath('/files/a%2fb;v=1/c');
    assert.deepEqual(result, {
      ok: true,
      path: '/files/a%2Fb;v=1/c',
      readings: {
        kept: ['files', 'a/b;v=1', 'c'],
        others: [
          ['files', 'a/b', 'c'],
          ['files', 'a', 'b;v=1', 'c'],
          ['files', 'a', 'b', 'c'],
        ],
        hasEncodedSlash: true,
        hasSemicolon: true,
      },
    });
  });

  it('gives one reading for each way in which upstreams cut parameters off', () => {
    const othersOf = (raw: string): unknown => {
      const result = canonicalPath(raw);
      return result.ok && result.readings.others.map((segments) => segments.join(' | '));
    };
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['/a/b', []],
      ['/a;x/b', ['a | b']],
      ['/a%3bx/b', ['a | b']],
      ['/a%2fb', ['a | b']],
      ['/admin;x%2fy', ['admin/y', 'admin', 'admin;x | y', 'admin | y']],
      ['/admin%3bx%2fy', ['admin/y', 'admin', 'admin;x | y', 'admin | y']],
      ['/a%3bb;c', ['a', 'a;b']],
      ['/a%3bb%2fc;d%2fe', ['a/c/e', 'a;b/c', 'a/c', 'a', 'a;b | c;d | e', 'a | c | e', 'a;b | c', 'a | c']],
    ];
    for (const [raw, expected] of cases) assert.deepEqual(othersOf(raw), expected, raw);
  });

  it('is idempotent: a canonical path is its own canonical form', () => {
    fc.assert(
      fc.property(spelling, (raw) => {
        const path = pathOf(raw);
        if (path !== undefined) assert.equal(pathOf(path), path);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 64 }), (raw) => void canonicalPath(`/${raw}`)),
      { numRuns: 2000 },
    );
  });

  it('takes time in proportion to the length, also for what it refuses', () => {
    const start = performance.now();
    for (const piece of ['%2e', 'a/', ';', '%', 'a%2f', '..', '%c3%a9']) canonicalPath(`/${piece.repeat(2000)}`);
    assert.ok(performance.now() - start < 1000);
  });
});

const spelling = fc
  .array(
    fc.constantFrom(
      'a',
      'admin',
      '/',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      ';',
      '%3b',
      '%61',
      '%25',
      '2e',
      '%c3%a9',
      'Z',
      '~',
      '%7E',
      '=',
    ),
    { maxLength: 12 },
  )
  .map((pieces) => `/${pieces.join('')}`);
