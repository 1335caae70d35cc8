import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PathTable } from '../match/path-table.ts';
import { HostClaims } from './claims.ts';
import { type Served, STRICT } from './compiled-policy.ts';
import { HostTable } from './host-table.ts';
import { ownHeaders } from './own-headers.ts';

describe('HostClaims', () => {
  const conflicts: readonly (readonly [string, string])[] = [
    ['api.example.org', 'api.example.org'],
    ['*.example.org', 'api.example.org'],
    ['api.example.org', '*.example.org'],
    ['*.example.org', '*.example.org'],
    ['*.example.org', '*.eu.example.org'],
    ['*.eu.example.org', '*.example.org'],
    ['*.example.org', 'a.b.example.org'],
    ['a.b.example.org', '*.example.org'],
  ];
  for (const [first, second] of conflicts) {
    it(`refuses another namespace's ${second} beside ${first}`, () => {
      const claims = new HostClaims();
      assert.equal(claims.claim(first, 'shop'), undefined);
      assert.equal(claims.claim(second, 'evil'), 'shop');
      assert.equal(claims.claim(second, 'shop'), undefined);
    });
  }

  it('lets namespaces hold hosts that do not overlap', () => {
    const claims = new HostClaims();
    for (const [host, namespace] of [
      ['*.a.org', 'one'],
      ['a.org', 'two'],
      ['b.org', 'three'],
      ['*.b.org', 'one'],
      ['xa.org', 'four'],
    ] as const) {
      assert.equal(claims.claim(host, namespace), undefined, host);
    }
  });
});

describe('HostTable', () => {
  it('finds exact before the longest wildcard, and no wildcard for its own apex', () => {
    const entry = (namespace: string) => ({
      namespace,
      isAudit: false,
      pathOptions: STRICT,
      own: ownHeaders([]),
      ownBy: undefined,
      grounds: undefined,
      table: new PathTable<Served>(STRICT),
    });
    const table = new HostTable();
    table.add('api.example.org', entry('exact'));
    table.add('*.example.org', entry('wide'));
    table.add('*.eu.example.org', entry('narrow'));
    const found = [
      'api.example.org',
      'x.example.org',
      'x.eu.example.org',
      'a.b.eu.example.org',
      'eu.example.org',
      'example.org',
      'org',
      'xexample.org',
    ];
    assert.deepEqual(
      found.map((host) => table.find(host)?.namespace),
      ['exact', 'wide', 'narrow', 'narrow', 'wide', undefined, undefined, undefined],
    );
  });
});
