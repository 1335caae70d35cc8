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
    {
      target: { hosts: [`${id.replace('/', '.')}.test`] },
      authentication: { methods: [{ name: 'm', ...method }] },
      authorization: { rules: [{ name: 'all', allow: { any: {} } }] },
    },
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

  it('says that nobody can get in by a policy without authentication or authorization, and not of one in Audit', async () => {
    const world = new World();
    const target = (host: string): object => ({ target: { hosts: [host] } });
    const { reports } = await world.apply(
      objectOf('APIPolicy', 'shop/bare', target('bare.test')),
      objectOf('APIPolicy', 'shop/counted', { ...target('counted.test'), mode: 'Audit' }),
      policy('shop/open', KEYS),
    );
    assert.deepEqual(reports.map(said), [
      [
        'APIPolicy/bare',
        true,
        1,
        ['Without authentication nobody can get in', 'Without authorization nobody can get in'],
      ],
      ['APIPolicy/counted', true, 1, []],
      ['APIPolicy/open', true, 1, []],
    ]);
    assert.deepEqual(
      reports[0]?.problems.map(({ severity }) => severity),
      ['warning', 'warning'],
    );
  });

  it('says that a role names a policy that is not there, until it comes and again when it goes', async () => {
    const world = new World();
    const role = objectOf('APIRole', 'shop/reader', { permissions: [{ name: 'p', policyRefs: [{ name: 'ordes' }] }] });
    const missing = {
      reason: 'PolicyNotFound',
      path: 'spec.permissions[0].policyRefs[0]',
      message: 'No APIPolicy "ordes" of the class "postern" is in this namespace: it permits nothing there',
      severity: 'warning',
    };
    const ofRole = ({ reports }: Build): unknown => reports.find(({ object }) => object === role)?.problems;
    assert.deepEqual(ofRole(await world.apply(role, policy('pay/ordes', KEYS))), [missing]);
    assert.deepEqual(ofRole(await world.apply(policy('shop/ordes', KEYS))), []);
    world.store.delete('APIPolicy', { namespace: 'shop', name: 'ordes' });
    assert.deepEqual(ofRole(await world.next()), [missing]);
  });

  it('says that a binding is to a consumer that is not there, or to a group that nobody has', async () => {
    const world = new World();
    const subjects = ['amce', 'acme'].map((name) => ({ consumer: { name } }));
    const groups = ['partner', 'partners'].map((name) => ({ consumerGroup: { name } }));
    const binding = objectOf('APIRoleBinding', 'shop/readers', {
      roleRef: { name: 'reader' },
      subjects: [...subjects, ...groups],
    });
    const acme = (spec: unknown): SourceObject => objectOf('APIConsumer', 'shop/acme', spec);
    const ofBinding = ({ reports }: Build): unknown =>
      reports
        .find(({ object }) => object === binding)
        ?.problems.map(({ reason, path, severity }) => `${severity} ${reason} ${path}`);
    const role = objectOf('APIRole', 'shop/reader', {});
    assert.deepEqual(ofBinding(await world.apply(role, binding, acme({ groups: ['partners'] }))), [
      'reference SubjectNotFound spec.subjects[0]',
      'warning SubjectNotFound spec.subjects[2]',
    ]);
    // What cannot be read may be meant to have any group.
    assert.deepEqual(ofBinding(await world.apply(acme({ groups: 7 }))), ['reference SubjectNotFound spec.subjects[0]']);
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

  it('tells of 200,000 roles in one build: more than a call takes arguments, and then nothing was ever built again', async () => {
    const world = new World();
    for (let i = 0; i < 200_000; i += 1) world.store.apply(objectOf('APIRole', `team${i % 4}/r${i}`, { rules: [] }));
    const { reports } = await world.apply(policy('shop/a', KEYS));
    assert.equal(reports.length, 200_001);
    assert.equal(new Set(reports.map(({ object }) => object.metadata.name)).size, 200_001);
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
