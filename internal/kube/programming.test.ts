import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ObjectReport } from '../policy/store.ts';
import { Programming } from './programming.ts';
import type { Replica } from './replicas.ts';
import { markOf, readServing, type Serving, scopeOf, servingOf, writeServing } from './serving.ts';

interface Parts {
  readonly name?: string;
  readonly namespace?: string;
  readonly generation?: number;
  readonly version?: string;
  readonly isAccepted?: boolean;
  readonly status?: unknown;
}

const aReport = ({
  name = 'a',
  namespace = 'shop',
  generation = 1,
  version = '100',
  isAccepted = true,
  status,
}: Parts = {}): ObjectReport => ({
  object: {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name, namespace, uid: `uid-${name}`, generation, resourceVersion: version },
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
const refusing = (count: number, first = 0, namespace = 'shop'): ObjectReport[] =>
  Array.from({ length: count }, (_, i) => aReport({ name: `r${first + i}`, namespace, isAccepted: false }));

let replicas: Replica[] | undefined;
let own: Serving | undefined;
let programming: Programming;
function setUp(): void {
  own = serving('100');
  programming = new Programming({ alive: () => replicas, scope: () => '*', own: () => own });
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
    areNow(serving('100'), servingOf([], { '*': '100' }, [{ namespace: 'shop', uid: 'uid-a', generation: 1 }]));
    assert.equal(programming.isAwaited(aReport()), true);
  });

  it('compares what is too much of a namespace to be named as a whole, with what it refuses itself now', () => {
    own = serving('100', refusing(101));
    areNow(own, serving('100', refusing(101)));
    assert.equal(programming.isAwaited(aReport()), false);
    areNow(own, serving('100', refusing(101, 1)));
    assert.equal(programming.isAwaited(aReport({ name: 'b' })), true);
    assert.match(programming.text(aReport({ name: 'b' })), /1 of 2 .* not yet "replica-1"/);
    // All said the same of a time at which this replica refused it as well.
    const then = serving('100', [...refusing(101), aReport({ name: 'c', isAccepted: false })]);
    areNow(then, then);
    assert.equal(programming.isAwaited(aReport({ name: 'c' })), true);
  });

  it('has nobody wait for the policies of a namespace that refuses too much to be named, but that namespace', () => {
    own = serving('100', refusing(10_000, 0, 'evil'));
    areNow(own, serving('100', refusing(10_000, 1, 'evil')));
    assert.equal(programming.isAwaited(aReport()), false);
    assert.equal(programming.isAwaited(aReport({ name: 'own', namespace: 'evil' })), true);
    areNow(own, serving('100', [...refusing(10_000, 1, 'evil'), aReport({ name: 'b', isAccepted: false })]));
    assert.equal(programming.isAwaited(aReport({ name: 'b' })), true, 'refused by name');
    assert.equal(programming.isAwaited(aReport({ name: 'c' })), false);
  });

  it('names what is refused of most namespaces, however many each refuse the most that is named', () => {
    const many = Array.from({ length: 40 }, (_, i) => refusing(50, 0, `evil${i}`)).flat();
    own = serving('100', many);
    areNow(own, serving('100', [...many, aReport({ name: 'b', isAccepted: false })]));
    assert.equal(programming.isAwaited(aReport({ name: 'b' })), true);
    assert.equal(programming.isAwaited(aReport({ name: 'c' })), false);
  });

  it('takes no namespace for another, nor for what every object has', () => {
    for (const namespace of ['constructor', 'valueOf', '__proto__']) {
      const there = { name: `in-${namespace}`, namespace };
      own = serving('100');
      areNow(own, readServing(writeServing(serving('100', [aReport({ ...there, isAccepted: false })]))));
      assert.equal(programming.isAwaited(aReport(there)), true, namespace);
      assert.equal(programming.isAwaited(aReport({ name: `b-${namespace}` })), false, namespace);
      areNow(own, readServing(writeServing(serving('100'))));
      assert.equal(programming.isAwaited(aReport(there)), false, namespace);
    }
  });

  it('compares all that is refused where it is of too many namespaces, or an older version names none', () => {
    const each = (first: number): ObjectReport[] =>
      Array.from({ length: 1001 }, (_, i) => refusing(1, first + i, `n${i}`)).flat();
    const everywhere = each(0);
    own = serving('100', everywhere);
    assert.equal(own.refusals, undefined);
    areNow(own, readServing(writeServing(own)));
    assert.equal(programming.isAwaited(aReport()), false);
    areNow(own, serving('100', each(1)));
    assert.equal(programming.isAwaited(aReport({ name: 'b' })), true);
    areNow(own, { horizon: { '*': '100' }, digest: own.digest });
    assert.equal(programming.isAwaited(aReport({ name: 'b' })), false);
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
    const lengthOf = (reports: readonly ObjectReport[]): number =>
      writeServing(servingOf(reports, { '*': '123456789' }, [])).length;
    assert.ok(lengthOf(refusing(50)) < 1000);
    assert.ok(lengthOf(refusing(10_000)) < 200);
    const everywhere = Array.from({ length: 1000 }, (_, i) => refusing(60, 0, `${i}`.padStart(63, 'n'))).flat();
    assert.ok(lengthOf(everywhere) < 100_000, `${lengthOf(everywhere)}`);
    const named = Array.from({ length: 1000 }, (_, i) => refusing(50, 0, `${i}`.padStart(63, 'n'))).flat();
    assert.ok(lengthOf(named) < 128 * 1024, `${lengthOf(named)}`);
  });

  it('is read as it was written', () => {
    const said = servingOf([aReport({ isAccepted: false }), ...refusing(51, 0, 'evil')], { shop: '12' }, []);
    assert.deepEqual(readServing(writeServing(said)), said);
    assert.deepEqual(said.refusals?.get('shop'), [markOf({ uid: 'uid-a', generation: 1 })]);
    assert.equal(said.refusals?.get('evil')?.length, 22);
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
      '{"horizon":{},"digest":"d","refusals":[]}',
      '{"horizon":{},"digest":"d","refusals":{"shop":[1]}}',
      '{"horizon":{},"digest":"d","refusals":{"shop":{}}}',
      '{"horizon":{},"digest":"d","refusals":null}',
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
