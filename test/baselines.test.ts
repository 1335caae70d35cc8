import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_SECTIONS } from '../internal/policy/baselines/defaults.ts';
import type { CompiledPolicy } from '../internal/policy/compiled-policy.ts';
import type { SourceObject } from '../internal/policy/object.ts';
import type { RecordedSpec } from '../internal/policy/recorded-spec.ts';
import { apiBaselineSpec } from '../internal/policy/resource/api-baseline.ts';
import { apiPolicySpec } from '../internal/policy/resource/api-policy.ts';
import type { ObjectReport } from '../internal/policy/store.ts';
import { type Loaded, load } from './cases/run-case.ts';
import { FULL_SPECS } from './crd/full-specs.ts';

const policy = (name: string, more = ''): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${name}, namespace: shop}
spec: {target: {hosts: [${name}.test]}, authorization: {rules: [{name: all, allow: {any: {}}}]}${more}}
`;
const ANYBODY = ', authentication: {anonymous: {}}';
const POLICIES = [policy('a', ANYBODY), policy('b', ANYBODY), policy('bare')].join('---');

const baseline = (spec: object, rest: { generation?: number; status?: object; uid?: string } = {}): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIBaseline',
  metadata: { name: 'platform', namespace: '', uid: rest.uid ?? 'u', generation: rest.generation ?? 1 },
  spec: { namespaceSelector: {}, ...spec },
  status: rest.status,
});
const denying = (...methods: string[]): object => ({
  overrides: { authorization: { rules: [{ name: 'r', deny: { methods } }] } },
});
const BROKEN = { overrides: { authorization: { rules: [{ name: 'r', deny: { when: [{ expression: '1 +' }] } }] } } };

async function put(loaded: Loaded, ...objects: readonly SourceObject[]): Promise<readonly ObjectReport[]> {
  for (const object of objects) loaded.store.apply(object);
  return (await loaded.apply('')).reports;
}

const served = ({ store }: Loaded, name: string): CompiledPolicy => {
  const found = store.current?.named.get(`shop/${name}`)?.policy;
  assert.ok(found);
  return found;
};
const reasonOf = async ({ check }: Loaded, method: string, host = 'a.test'): Promise<string> =>
  (await check({ host, method })).decision.reason;
const said = (reports: readonly ObjectReport[]): object =>
  reports
    .filter(({ object }) => object.kind === 'APIBaseline')
    .map(({ isAccepted, servesLastGood, servingGeneration }) => ({ isAccepted, servesLastGood, servingGeneration }));

describe('a baseline over time', () => {
  it('holds what its last good spec said while the newest is wrong, and frees when it is deleted', async () => {
    const loaded = await load(POLICIES);
    await put(loaded, baseline(denying('PUT')));
    assert.equal(await reasonOf(loaded, 'PUT'), 'denied_by_rule');
    assert.deepEqual(said(await put(loaded, baseline(BROKEN, { generation: 2 }))), [
      { isAccepted: false, servesLastGood: true, servingGeneration: 1 },
    ]);
    assert.equal(await reasonOf(loaded, 'PUT'), 'denied_by_rule');
    await put(loaded, baseline(denying('POST'), { generation: 3 }));
    assert.deepEqual([await reasonOf(loaded, 'PUT'), await reasonOf(loaded, 'POST')], ['allowed', 'denied_by_rule']);
    loaded.store.delete('APIBaseline', { namespace: '', name: 'platform' });
    await loaded.apply('');
    assert.equal(await reasonOf(loaded, 'POST'), 'allowed');
  });

  it('has no effect while it was never accepted, and inherits nothing from one of its name', async () => {
    const loaded = await load(POLICIES);
    const reports = await put(loaded, baseline(BROKEN));
    assert.deepEqual(said(reports), [{ isAccepted: false, servesLastGood: false, servingGeneration: undefined }]);
    assert.equal(await reasonOf(loaded, 'PUT'), 'allowed');
    await put(loaded, baseline(denying('PUT'), { generation: 2 }));
    await put(loaded, baseline(BROKEN, { uid: 'another' }));
    assert.equal(await reasonOf(loaded, 'PUT'), 'allowed');
  });

  it('is restored from what its status recorded, checked again in full', async () => {
    const restarted = async (recorded: RecordedSpec): Promise<string> => {
      const recordedSpec = ({ kind }: SourceObject) => (kind === 'APIBaseline' ? recorded : undefined);
      const loaded = await load(POLICIES, { recordedSpec });
      await put(loaded, baseline(BROKEN, { generation: 8 }));
      return reasonOf(loaded, 'PUT');
    };
    const spec = { namespaceSelector: {}, ...denying('PUT') };
    assert.equal(await restarted({ generation: 7, spec }), 'denied_by_rule');
    assert.equal(await restarted({ generation: 8, spec }), 'allowed');
    assert.equal(await restarted({ generation: 7, spec: { ...spec, colour: 'red' } }), 'allowed');
    assert.equal(await restarted({ generation: 7, spec: { namespaceSelector: {}, ...BROKEN } }), 'allowed');
  });

  it('holds a policy that serves its last good spec', async () => {
    const loaded = await load(POLICIES);
    await loaded.apply(
      policy('a', ', authentication: {methods: [{name: k, jwt: {issuer: "no url", audiences: [a]}}]}'),
    );
    await put(loaded, baseline(denying('PUT')));
    assert.deepEqual([await reasonOf(loaded, 'GET'), await reasonOf(loaded, 'PUT')], ['allowed', 'denied_by_rule']);
  });

  it('stands in for no policy in the log, which then looks for credentials by their names', async () => {
    const broken = policy('a', ', mode: Audit').replace('any: {}', 'when: [{expression: "1 +"}]');
    const loaded = await load(broken);
    await put(loaded, baseline(denying('PUT')));
    for (const [method, reason] of [
      ['GET', 'unmatched'],
      ['PUT', 'denied_by_rule'],
    ] as const) {
      const checked = await loaded.check({ host: 'a.test', method });
      assert.deepEqual(
        [checked.decision.reason, checked.decision.policy, checked.policy],
        [reason, undefined, undefined],
      );
    }
  });

  it('tells of each policy which baselines hold it, and what passes of one that was never accepted', async () => {
    const loaded = await load(POLICIES);
    const reports = await put(loaded, baseline(denying('PUT')));
    const heldBy = reports.filter(({ object }) => object.kind === 'APIPolicy').map((report) => report.heldBy);
    assert.deepEqual(heldBy, [['platform'], ['platform'], ['platform']]);
  });
});

it('a section of a baseline, once checked, is one that a policy may have: so a record of both is read back', () => {
  const specs = FULL_SPECS.filter(({ kind }) => kind === 'APIBaseline').map(({ spec }) => apiBaselineSpec.parse(spec));
  const sections = new Set<string>();
  for (const { defaults } of specs) {
    if (defaults === undefined) continue;
    for (const name of Object.keys(defaults)) sections.add(name);
    const given = JSON.parse(JSON.stringify(defaults)) as typeof defaults;
    const { target, className, mode, ...rest } = apiPolicySpec.parse({ target: { hosts: ['a.test'] }, ...given });
    assert.deepEqual(JSON.parse(JSON.stringify(rest)), given);
  }
  assert.deepEqual([...sections].sort(), [...DEFAULT_SECTIONS].sort());
});

it('tells of limits that count locally, whether its author, a default or an override has them', async () => {
  const limits = [
    {
      name: 'l',
      stage: 'BeforeAuthentication',
      key: [{ expression: 'client.network' }],
      rates: [{ requests: 1, window: '1s' }],
    },
  ];
  const own = policy('own', `, rateLimits: ${JSON.stringify(limits)}${ANYBODY}`);
  const loaded = await load([POLICIES, own].join('---'));
  const said = (reports: readonly ObjectReport[]): object =>
    Object.fromEntries(
      reports
        .filter(({ object }) => object.kind === 'APIPolicy')
        .map(({ object, localLimits }) => [object.metadata.name, localLimits]),
    );
  const none = { a: undefined, b: undefined, bare: undefined };
  assert.deepEqual(said(loaded.build.reports), { ...none, own: { hasOwn: true, by: [] } });
  const given = { hasOwn: true, by: ['platform'] };
  assert.deepEqual(said(await put(loaded, baseline({ defaults: { rateLimits: limits } }))), {
    a: given,
    b: given,
    bare: given,
    own: { hasOwn: true, by: [] },
  });
  const held = { hasOwn: false, by: ['platform'] };
  const overriding = baseline({ overrides: { rateLimits: limits } }, { generation: 2 });
  assert.deepEqual(said(await put(loaded, overriding)), { a: held, b: held, bare: held, own: given });
});

describe('what a change of a baseline costs', () => {
  it('is nothing where its status or its labels were written, or a namespace that it does not select was', async () => {
    const loaded = await load(POLICIES);
    await put(loaded, baseline({ ...denying('PUT'), defaults: { auditLog: {} } }));
    const before = ['a', 'b', 'bare'].map((name) => served(loaded, name));
    await put(loaded, baseline({ ...denying('PUT'), defaults: { auditLog: {} } }, { status: { instances: [] } }));
    await loaded.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {a: b}}');
    for (const [index, name] of ['a', 'b', 'bare'].entries()) assert.equal(served(loaded, name), before[index]);
  });

  it('is no compiling of policies where overrides changed: their own steps stay, and denies are shared', async () => {
    const loaded = await load(POLICIES);
    const own = served(loaded, 'a').steps;
    await put(loaded, baseline(denying('PUT')));
    const [a, b] = [served(loaded, 'a'), served(loaded, 'b')];
    assert.deepEqual(
      a.steps.filter((step) => own.includes(step)),
      own,
    );
    const added = (held: CompiledPolicy) => held.steps.filter(({ step }) => !own.some((one) => one.step === step));
    assert.deepEqual(
      added(a).map(({ phase }) => phase),
      ['authz'],
    );
    assert.ok(b.steps.some(({ step }) => step === added(a)[0]?.step));
  });

  it('is compiling of those policies alone that a default is for', async () => {
    const loaded = await load(POLICIES);
    const before = { a: served(loaded, 'a'), bare: served(loaded, 'bare') };
    await put(loaded, baseline({ defaults: { authentication: { anonymous: {} } } }));
    assert.equal(served(loaded, 'a'), before.a);
    assert.notEqual(served(loaded, 'bare'), before.bare);
    assert.equal(await reasonOf(loaded, 'GET', 'bare.test'), 'allowed');
  });
});
