import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PathTemplate } from '../match/path-template.ts';
import { claimedTarget } from './claimed-target.ts';
import { PartClaims } from './part-claims.ts';

const templates = (...paths: readonly string[]): readonly PathTemplate[] =>
  claimedTarget({ target: { paths } }).templates;

function isInTheWay(claims: PartClaims, host: string, path: string, looks = { left: 1000 }): boolean {
  const [template] = templates(path);
  assert.ok(template);
  return claims.isInTheWay(host, template, { namespace: 'shop', looks });
}

describe('PartClaims', () => {
  it('finds what another namespace holds of a host, above it and below it, where paths overlap', () => {
    const claims = new PartClaims();
    claims.add('a.b.test', templates('/a/**', '/{x}/y'), 'web');
    claims.add('*.c.test', templates('/w'), 'web');
    const asked = [
      'a.b.test',
      'b.b.test',
      '*.b.test',
      '*.test',
      'b.test',
      'a.c.test',
      '*.a.c.test',
      'c.test',
      '*.c.test',
    ];
    const held = (path: string) => asked.filter((host) => isInTheWay(claims, host, path));
    assert.deepEqual(held('/a/x'), ['a.b.test', '*.b.test', '*.test']);
    assert.deepEqual(held('/z/y'), ['a.b.test', '*.b.test', '*.test']);
    assert.deepEqual(held('/w'), ['*.test', 'a.c.test', '*.a.c.test', '*.c.test']);
    assert.deepEqual(held('/other'), []);
  });

  it('tells what of others reaches beyond a claim: a wider host, or a path that is not covered', () => {
    const claims = new PartClaims();
    claims.add('a.b.test', templates('/a/**'), 'web');
    claims.add('*.c.test', templates('/w'), 'web');
    const reaches = (host: string, path: string): boolean => {
      const [template] = templates(path);
      return (
        template !== undefined && claims.reachesBeyond(host, template, { namespace: 'shop', looks: { left: 1000 } })
      );
    };
    const asked = ['a.b.test', '*.b.test', '*.test', 'a.c.test', '*.a.c.test', '*.c.test'];
    assert.deepEqual(
      asked.filter((host) => reaches(host, '/a/x')),
      ['a.b.test', '*.b.test', '*.test'],
    );
    assert.deepEqual(
      asked.filter((host) => reaches(host, '/**')),
      ['a.c.test', '*.a.c.test'],
    );
    assert.deepEqual(
      asked.filter((host) => reaches(host, '/other')),
      [],
    );
  });

  it('hears of what is added after it was asked', () => {
    const claims = new PartClaims();
    for (const path of ['/a', '/b', '/c']) {
      assert.equal(isInTheWay(claims, 'a.test', path), false);
      claims.add('a.test', templates(path), path === '/b' ? 'shop' : 'web');
      assert.equal(isInTheWay(claims, 'a.test', path), path !== '/b');
      assert.equal(isInTheWay(claims, '*.test', path), path !== '/b');
    }
  });

  it('looks at nothing of what is the namespace’s own, however many hosts and paths that are', () => {
    const claims = new PartClaims();
    for (let i = 0; i < 1000; i += 1) claims.add(`h${i}.shop.test`, templates('/a', '/b', '/c'), 'shop');
    claims.add('h.web.test', templates('/a'), 'web');
    const looks = { left: 1000 };
    assert.equal(isInTheWay(claims, '*.shop.test', '/**', looks), false);
    assert.equal(isInTheWay(claims, 'h7.shop.test', '/**', looks), false);
    assert.equal(looks.left, 1000);
  });

  it('looks once at least at each host below a wildcard where others have some, and beyond its looks finds them in the way', () => {
    const claims = new PartClaims();
    for (let i = 0; i < 500; i += 1) claims.add(`h${i}.test`, templates('/a'), i % 2 === 0 ? 'web' : 'shop');
    const looks = { left: 2000 };
    assert.equal(isInTheWay(claims, '*.test', '/b', looks), false);
    assert.ok(looks.left <= 1500 && looks.left >= 1000, `${looks.left}`);
    assert.equal(isInTheWay(claims, '*.test', '/b', { left: 400 }), true);
  });
});
