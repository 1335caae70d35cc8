import assert from 'node:assert/strict';
import { it, mock } from 'node:test';
import type { SourceObject } from './object.ts';
import { PORTS } from './policy-ports.fixture.ts';
import { type Build, PolicyStore } from './store.ts';

const ANYBODY = { rules: [{ name: 'all', allow: { any: {} } }] };
const BROKEN = { rules: [{ name: 'all', allow: { when: [{ expression: '1 +' }] } }] };

const policy = (generation: number, authorization: object, more: object = {}): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIPolicy',
  metadata: { name: 'a', namespace: 'shop', uid: 'u', generation },
  spec: { target: { hosts: ['a.test'] }, authentication: { anonymous: {} }, authorization, ...more },
});
const baseline = (generation: number, ...methods: string[]): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIBaseline',
  metadata: { name: 'platform', namespace: '', uid: 'b', generation },
  spec: { namespaceSelector: {}, overrides: { authorization: { rules: [{ name: 'r', deny: { methods } }] } } },
});

/** A store whose clock throws once, the so manieth time it is asked: every build asks it between all its parts. */
class World {
  untilThrow = Number.POSITIVE_INFINITY;
  asked = 0;
  #told = Promise.withResolvers<Build | undefined>();
  readonly store = new PolicyStore({
    ports: PORTS,
    clusterIssuer: undefined,
    className: 'postern',
    secrets: () => () => ({ reason: 'SecretNotFound', message: '' }),
    clock: {
      wallMs: () => 0,
      monotonicMs: () => {
        this.asked += 1;
        this.untilThrow -= 1;
        if (this.untilThrow === 0) throw new Error('no time');
        return 0;
      },
    },
    onBuild: (build) => this.#told.resolve(build),
    onFailure: () => this.#told.resolve(undefined),
  });

  /** The next build; undefined when it failed. */
  async apply(...objects: readonly SourceObject[]): Promise<Build | undefined> {
    this.#told = Promise.withResolvers();
    for (const object of objects) this.store.apply(object);
    this.store.complete();
    mock.timers.tick(1000);
    return this.#told.promise;
  }

  get serving() {
    return this.store.current?.named.get('shop/a');
  }
}

/** Has the second change fail at each of its parts in turn, and tells the world what failed. */
async function failEverywhere(first: SourceObject[], second: SourceObject[], see: (world: World) => Promise<void>) {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const whole = new World();
    await whole.apply(...first);
    whole.asked = 0;
    await whole.apply(...second);
    let failures = 0;
    for (let part = 1; part <= whole.asked; part += 1) {
      const world = new World();
      assert.ok(await world.apply(...first));
      world.untilThrow = part;
      // What is thrown while one policy is compiled is a problem of that policy, and fails no build.
      if ((await world.apply(...second)) !== undefined) continue;
      failures += 1;
      await see(world);
    }
    assert.ok(failures > 5, `${failures}`);
  } finally {
    mock.timers.reset();
  }
}

it('takes no spec for the last good one that never served, wherever its build failed', async () => {
  const other = { ...policy(1, ANYBODY), metadata: { name: 'b', namespace: 'shop', uid: 'v', generation: 1 } };
  await failEverywhere([policy(1, ANYBODY), other], [policy(2, ANYBODY)], async (world) => {
    const { generation } = world.serving?.policy?.ref ?? {};
    const build = await world.apply(policy(3, BROKEN));
    assert.equal(build?.reports[0]?.servingGeneration, generation);
  });
});

it('binds no policy anew to overrides that held it before a build failed', async () => {
  const first = [policy(1, ANYBODY), baseline(1, 'PUT')];
  await failEverywhere(first, [{ ...policy(1, ANYBODY), status: {} }], async (world) => {
    const before = world.serving?.policy;
    await world.apply();
    assert.equal(world.serving?.policy, before);
  });
});

it('stands in for a policy by one and the same, whatever status is written of it, until its spec changes', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const world = new World();
    const audited = (generation: number): SourceObject => policy(generation, BROKEN, { mode: 'Audit' });
    await world.apply(audited(1), baseline(1, 'PUT'));
    const before = world.serving?.standIn;
    assert.ok(before);
    await world.apply({ ...audited(1), metadata: { ...audited(1).metadata, resourceVersion: '2' }, status: {} });
    assert.equal(world.serving?.standIn, before);
    await world.apply(audited(2));
    assert.deepEqual(world.serving?.standIn?.ref, { ...before.ref, generation: 2 });
    await world.apply(baseline(2, 'POST'));
    assert.notEqual(world.serving?.standIn, before);
  } finally {
    mock.timers.reset();
  }
});
