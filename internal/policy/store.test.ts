import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { anEvaluation } from '../core/evaluation.fixture.ts';
import { MemoryStore } from '../counters/memory-store.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { ALL_KNOWN } from './knowledge.ts';
import type { SourceObject } from './object.ts';
import { type Build, type ObjectReport, PolicyStore } from './store.ts';

const KEY = 'pk_test_0123456789abcdef';
const NO_SECRETS: SecretLookup = () => ({ reason: 'SecretNotFound', message: '' });

const objectOf = (kind: string, id: string, spec: unknown, generation = 1): SourceObject => {
  const [namespace = '', name = ''] = id.split('/');
  return { apiVersion: 'postern.dev/v1alpha1', kind, metadata: { name, namespace, uid: id, generation }, spec };
};
const consumer = (id: string, keys: readonly object[] = [{ name: 'k', sha256: hash('sha256', KEY, 'hex') }]) =>
  objectOf('APIConsumer', id, { keys });
const policy = (id: string, method: object, generation = 1): SourceObject =>
  objectOf(
    'APIPolicy',
    id,
    { target: { hosts: [`${id.replace('/', '.')}.test`] }, authentication: { methods: [{ name: 'm', ...method }] } },
    generation,
  );

const KEYS = { apiKey: {} };
const TOKENS = { jwt: { issuer: 'https://sso.example.org', audiences: ['orders'] } };

/** A store whose ports throw where a test says so. */
class World {
  secretsThrow = new Set<string>();
  /** Called while a namespace is compiled. */
  onSecrets: () => void = () => undefined;
  #told = Promise.withResolvers<Build>();
  readonly store = new PolicyStore({
    ports: {
      keySources: {
        byDiscovery: () => {
          throw new Error('no discovery');
        },
        byUrl: () => ({ current: () => undefined, fetch: () => Promise.reject(new Error('none')) }),
        inline: () => ({ current: () => undefined, fetch: () => Promise.reject(new Error('none')) }),
      },
      tokens: createTokenCache(),
      limits: createRateLimitPorts(new MemoryStore({ maxKeys: 10, onEvict: () => undefined })),
      knows: ALL_KNOWN,
    },
    clusterIssuer: undefined,
    className: 'postern',
    secrets: (namespace) => {
      this.onSecrets();
      if (this.secretsThrow.has(namespace)) throw new Error('no secrets');
      return NO_SECRETS;
    },
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
    onBuild: (build) => this.#told.resolve(build),
    onFailure: (error) => this.#told.reject(error),
  });

  apply(...objects: readonly SourceObject[]): Promise<Build> {
    const told = this.next();
    for (const object of objects) this.store.apply(object);
    this.store.complete();
    return told;
  }

  /** The build after this one. */
  next(): Promise<Build> {
    this.#told = Promise.withResolvers();
    return this.#told.promise;
  }
}

const subjectOf = ({ snapshot }: Build, namespace: string): unknown => {
  const found = snapshot.namespaces.get(namespace)?.consumers.find(KEY, 'm', 0);
  return typeof found === 'object' ? found.subject : found;
};

const said = ({ object, isAccepted, servingGeneration, problems }: ObjectReport): unknown => [
  `${object.kind}/${object.metadata.name}`,
  isAccepted,
  servingGeneration,
  problems.map(({ message }) => message),
];

describe('PolicyStore', () => {
  it('lets no revoked key live on in a namespace that could not be compiled, nor fails the others', async () => {
    const world = new World();
    assert.equal(subjectOf(await world.apply(consumer('shop/acme'), consumer('web/acme')), 'shop'), 'acme');
    world.secretsThrow.add('shop');
    const thrown = await world.apply(consumer('shop/acme', []), consumer('web/other', []));
    assert.deepEqual([subjectOf(thrown, 'shop'), subjectOf(thrown, 'web')], ['unknown', 'acme']);
    const roles = thrown.snapshot.namespaces.get('shop')?.roles;
    assert.deepEqual([roles?.permits('r', anEvaluation()), roles?.isHeldForDeny('r', anEvaluation())], [false, true]);
    assert.deepEqual(thrown.reports.map(said), [
      ['APIConsumer/acme', false, undefined, ['It cannot be compiled: no secrets']],
      ['APIConsumer/acme', true, undefined, []],
      ['APIConsumer/other', true, undefined, []],
    ]);
    world.secretsThrow.clear();
    const later = await world.apply(consumer('web/third', []));
    assert.deepEqual(
      [subjectOf(later, 'shop'), later.reports.every(({ isAccepted }) => isAccepted)],
      ['unknown', true],
    );
  });

  it('reports no older spec in the place of one whose compiling threw, and fails no other policy', async () => {
    const world = new World();
    await world.apply(policy('shop/a', KEYS), policy('shop/b', KEYS));
    const thrown = [
      ['APIPolicy/a', false, 1, ['It cannot be compiled: no discovery']],
      ['APIPolicy/b', true, 1, []],
    ];
    const build = await world.apply(policy('shop/a', TOKENS, 2), policy('shop/c', KEYS));
    assert.deepEqual(build.reports.map(said), [...thrown, ['APIPolicy/c', true, 1, []]]);
    const again = await world.apply(policy('shop/d', KEYS));
    assert.deepEqual(again.reports.map(said), [...thrown, ['APIPolicy/c', true, 1, []], ['APIPolicy/d', true, 1, []]]);
    const mended = await world.apply(policy('shop/a', KEYS, 3));
    assert.deepEqual(mended.reports.map(said)[0], ['APIPolicy/a', true, 3, []]);
  });

  it('says nothing of a spec that came while a snapshot was built', async () => {
    const world = new World();
    await world.apply(policy('shop/a', KEYS), policy('shop/b', KEYS));
    const newer = policy('shop/a', { apiKey: { nonsense: true } }, 3);
    // Consumers are compiled after policies: the newer spec arrives between that and the reports.
    world.onSecrets = () => world.store.apply(newer);
    const build = await world.apply(policy('shop/a', KEYS, 2), consumer('shop/acme'));
    world.onSecrets = () => undefined;
    assert.deepEqual(build.reports.map(said)[0], ['APIPolicy/a', true, 2, []]);
    assert.equal(build.reports[0]?.object.metadata.generation, 2);
    const [next] = (await world.next()).reports;
    assert.deepEqual([next?.object.metadata.generation, next?.isAccepted, next?.servingGeneration], [3, false, 2]);
  });

  it('refuses the hosts of a policy whose first spec threw', async () => {
    const world = new World();
    const { snapshot, reports } = await world.apply(policy('shop/a', TOKENS));
    assert.deepEqual(reports.map(said), [['APIPolicy/a', false, undefined, ['It cannot be compiled: no discovery']]]);
    assert.deepEqual(snapshot.named.get('shop/a')?.policy, undefined);
    assert.equal(snapshot.hosts.find('shop.a.test')?.namespace, 'shop');
  });

  it('says when everything that was given so far serves: also what came while a snapshot was built', async () => {
    const world = new World();
    await world.store.caughtUp();
    await world.apply(policy('shop/a', KEYS));
    await world.store.caughtUp();
    world.store.apply(policy('shop/b', KEYS));
    world.store.apply(consumer('shop/acme', [{ name: 'k', secretRef: { name: 'acme', key: 'plain' } }]));
    world.onSecrets = () => {
      world.onSecrets = () => undefined;
      world.store.apply(policy('shop/c', KEYS));
    };
    await world.store.caughtUp();
    world.store.apply(policy('shop/d', KEYS));
    await world.store.caughtUp();
    assert.deepEqual([...(world.store.current?.named.keys() ?? [])], ['shop/a', 'shop/b', 'shop/c', 'shop/d']);
  });
});
