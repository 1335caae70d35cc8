import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ObjectReport } from '../policy/store.ts';
import { Programming } from './programming.ts';
import type { Replica } from './replicas.ts';
import { markOf, readServing, type Serving, scopeOf, servingOf } from './serving.ts';

interface Parts {
  readonly name?: string;
  readonly generation?: number;
  readonly version?: string;
  readonly isAccepted?: boolean;
  readonly status?: unknown;
}

const aReport = ({
  name = 'a',
  generation = 1,
  version = '100',
  isAccepted = true,
  status,
}: Parts = {}): ObjectReport => ({
  object: {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, generation, resourceVersion: version },
    spec: {},
    status,
  },
  isAccepted,
  servesLastGood: false,
  servingGeneration: generation,
  isShadowed: false,
  problems: [],
  hosts: [],
});

const serving = (version: string, refused: readonly ObjectReport[] = []): Serving =>
  servingOf(refused, { '*': version }, []);
const refusing = (count: number, first = 0): ObjectReport[] =>
  Array.from({ length: count }, (_, i) => aReport({ name: `r${first + i}`, isAccepted: false }));

let replicas: Replica[] | undefined;
let own: Serving | undefined;
let programming: Programming;
function setUp(): void {
  own = serving('100');
  programming = new Programming({ alive: () => replicas, scope: () => '*', digest: () => own?.digest });
}

function areNow(...servings: (Serving | undefined)[]): void {
  replicas = servings.map((found, i) => ({ name: `replica-${i}`, serving: found }));
  programming.changed();
}

describe('Programming', () => {
  beforeEach(setUp);

  it('awaits a replica that has not come so far, and nobody when all have', () => {
    areNow(serving('100'), serving('99'));
    assert.equal(programming.isAwaited(aReport()), true);
    assert.equal(programming.text(aReport()), '1 of 2 replicas serve generation 1; not yet "replica-1"');
    areNow(serving('100'), serving('1000'));
    assert.equal(programming.isAwaited(aReport()), false);
  });

  it('awaits itself while it has not seen what it said: the others that it sees may be older than what it serves', () => {
    replicas = undefined;
    assert.equal(programming.isAwaited(aReport()), true);
    assert.match(programming.text(aReport()), /is not known yet/);
  });

  for (const [what, found] of [
    ['says nothing that is understood', undefined],
    ['watches another part', servingOf([], { 'shop team=a': '200' }, [])],
    ['does not know where it is', serving('')],
    ['says a version that is no number', serving('zzz')],
  ] as const)
    it(`awaits a replica that ${what}`, () => {
      areNow(serving('100'), found);
      assert.equal(programming.isAwaited(aReport()), true);
    });

  it('awaits a replica that refuses the generation, as an older version may, and no other for it', () => {
    areNow(serving('100'), serving('100', [aReport({ isAccepted: false })]));
    assert.equal(programming.isAwaited(aReport()), true);
    assert.match(programming.text(aReport()), /1 of 2 .* not yet "replica-1"/);
    assert.equal(programming.isAwaited(aReport({ name: 'b' })), false);
  });

  it('awaits a replica whose store could not take the policy', () => {
    areNow(serving('100'), servingOf([], { '*': '100' }, [{ uid: 'uid-a', generation: 1 }]));
    assert.equal(programming.isAwaited(aReport()), true);
  });

  it('compares what is too much to be named as a whole, with what it refuses itself now', () => {
    own = serving('100', refusing(101));
    areNow(own, serving('100', refusing(101)));
    assert.equal(programming.isAwaited(aReport()), false);
    areNow(own, serving('100', refusing(101, 1)));
    assert.equal(programming.isAwaited(aReport({ name: 'b' })), true);
    // All said the same of a time at which this replica refused it as well.
    const then = serving('100', [...refusing(101), aReport({ name: 'c', isAccepted: false })]);
    areNow(then, then);
    assert.equal(programming.isAwaited(aReport({ name: 'c' })), true);
  });

  it('stays with what all served once, whatever replicas come: a status is not written for scaling', () => {
    areNow(serving('100'));
    assert.equal(programming.isAwaited(aReport()), false);
    areNow(serving('100'), undefined);
    assert.equal(programming.isAwaited(aReport({ version: '105' })), false);
    assert.equal(programming.isAwaited(aReport({ generation: 2, version: '106' })), true);
  });

  it('asks again about what it refused itself in between', () => {
    areNow(serving('100'));
    programming.isAwaited(aReport());
    programming.withdraw(aReport({ isAccepted: false }));
    areNow(serving('100'), serving('100', [aReport({ isAccepted: false })]));
    assert.equal(programming.isAwaited(aReport()), true);
  });

  it('takes over what another writer said of this generation, and not what was said of another', () => {
    const status = (observedGeneration: number) => ({
      conditions: [{ type: 'Programmed', status: 'True', observedGeneration }],
    });
    areNow(serving('100'), undefined);
    assert.equal(programming.isAwaited(aReport({ status: status(1) })), false);
    assert.equal(programming.isAwaited(aReport({ name: 'b', generation: 2, status: status(1) })), true);
    assert.equal(programming.isAwaited(aReport({ name: 'b', generation: 2, status: status(2) })), true, 'forged since');
  });

  it('begins anew where the API server was put back to an older state', () => {
    areNow(serving('100'));
    programming.isAwaited(aReport());
    areNow(serving('60'), serving('55'));
    assert.equal(programming.isAwaited(aReport({ version: '60' })), true);
  });
});

describe('what a replica serves', () => {
  it('stays small, whatever it refuses', () => {
    const { refused, digest } = servingOf(refusing(100), {}, []);
    assert.deepEqual([refused?.length, digest.length], [100, 43]);
    const many = JSON.stringify(servingOf(refusing(10_000), { '*': '123456789' }, []));
    assert.ok(many.length < 200, many);
  });

  it('is read as it was written', () => {
    const said = servingOf([aReport({ isAccepted: false })], { shop: '12' }, []);
    assert.deepEqual(readServing(JSON.stringify(said)), said);
    assert.deepEqual(said.refused, [markOf({ uid: 'uid-a', generation: 1 })]);
  });

  it('is nothing where it is not understood', () => {
    const texts = [
      '',
      '{',
      'null',
      '[]',
      '{"horizon":{}}',
      '{"horizon":{"*":1},"digest":"d"}',
      '{"horizon":[],"digest":"d"}',
    ];
    for (const text of [
      ...texts,
      '{"horizon":{},"digest":"d","refused":{}}',
      '{"horizon":{},"digest":"d","refused":[1]}',
    ])
      assert.equal(readServing(text), undefined, text);
    assert.equal(readServing(undefined), undefined);
    assert.equal(readServing(`{"horizon":{"a":"${'1'.repeat(200_000)}"},"digest":"d"}`), undefined);
  });

  it('names the part of the cluster that is watched', () => {
    assert.deepEqual(
      [scopeOf(undefined, undefined), scopeOf('shop', undefined), scopeOf('shop', 'team=a')],
      ['*', 'shop', 'shop team=a'],
    );
  });
});
