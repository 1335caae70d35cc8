import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packSpec, unpackSpec } from '../internal/kube/accepted-spec.ts';
import { policyStatus } from '../internal/kube/conditions.ts';
import type { SourceObject } from '../internal/policy/object.ts';
import type { ObjectReport } from '../internal/policy/store.ts';
import { type Loaded, load } from './cases/run-case.ts';

const HOST = 'api.example.org';
const OPEN = { rules: [{ name: 'all', allow: { any: {} } }] };
const CLOSED = { rules: [{ name: 'all', allow: { roles: ['nobody'] } }] };
const BROKEN = { rules: [{ name: 'all', allow: { when: [{ expression: 'requst.method' }] } }] };

const NONE = { requests: 1, window: '1h' };

const specOf = (authorization: object, rest: object = {}): object => ({
  target: { hosts: [HOST] },
  authentication: { anonymous: {} },
  authorization,
  ...rest,
});

const policy = (generation: number, spec: object, rest: Partial<SourceObject> & { uid?: string } = {}) => {
  const { uid = 'uid-1', ...others } = rest;
  const metadata = { name: 'orders', namespace: 'shop', uid, generation };
  return { apiVersion: 'postern.dev/v1alpha1', kind: 'APIPolicy', metadata, spec, ...others } satisfies SourceObject;
};

/** A status as the agent of before this one left it. */
const accepted = (generation: number, spec: object, uid = 'uid-1'): { readonly status: object } => {
  const hosts = (spec as { target: { hosts: string[] } }).target.hosts;
  return { status: { hosts, accepted: packSpec(policy(generation, spec, { uid })) } };
};

const recordedSpec = (object: SourceObject) => unpackSpec(object, 'postern');

/** An instance that has just been started, and was given these objects. */
async function restarted(...objects: readonly SourceObject[]): Promise<Loaded & { reports: readonly ObjectReport[] }> {
  const loaded = await load('', { recordedSpec });
  for (const object of objects) loaded.store.apply(object);
  const { reports } = await loaded.apply('');
  return { ...loaded, reports };
}

const reasonOf = async ({ check }: Loaded, host = HOST): Promise<string> => (await check({ host })).decision.reason;

const said = ({ isAccepted, servesLastGood, servingGeneration, problems }: ObjectReport): object => ({
  isAccepted,
  servesLastGood,
  servingGeneration,
  reasons: problems.map(({ reason }) => reason),
});

describe('an instance that was restarted', () => {
  it('serves the last good spec while the newest is wrong, and says both', async () => {
    const agent = await restarted(policy(8, specOf(BROKEN), accepted(7, specOf(OPEN))));
    assert.equal(await reasonOf(agent), 'allowed');
    assert.deepEqual(agent.reports.map(said), [
      { isAccepted: false, servesLastGood: true, servingGeneration: 7, reasons: ['InvalidExpression'] },
    ]);
  });

  it('serves a newest spec that is right, whatever its status says was accepted', async () => {
    const agent = await restarted(policy(8, specOf(CLOSED), accepted(7, specOf(OPEN))));
    assert.equal(await reasonOf(agent), 'not_allowed');
    assert.deepEqual(agent.reports.map(said), [
      { isAccepted: true, servesLastGood: false, servingGeneration: 8, reasons: ['RoleNotFound'] },
    ]);
  });

  it('takes the last good spec from a status that is written after it saw the policy', async () => {
    const agent = await restarted(policy(8, specOf(BROKEN)));
    assert.equal(await reasonOf(agent), 'no_route');
    agent.store.apply(policy(8, specOf(BROKEN), accepted(7, specOf(OPEN))));
    await agent.apply('');
    assert.equal(await reasonOf(agent), 'allowed');
  });

  it('keeps what it accepted itself, whatever a status says afterwards', async () => {
    const agent = await restarted(policy(8, specOf(CLOSED)));
    agent.store.apply(policy(9, specOf(BROKEN), accepted(7, specOf(OPEN))));
    await agent.apply('');
    assert.equal(await reasonOf(agent), 'not_allowed');
  });

  const refused: Readonly<Record<string, SourceObject>> = {
    'of a generation that is yet to come': policy(8, specOf(BROKEN), accepted(9, specOf(OPEN))),
    'that stands in for a newest spec which is wrong': policy(8, specOf(BROKEN), accepted(8, specOf(OPEN))),
    'of the object that had its name before': policy(8, specOf(BROKEN), { ...accepted(7, specOf(OPEN)), uid: 'uid-2' }),
    'of another class': policy(8, specOf(BROKEN), accepted(7, specOf(OPEN, { className: 'other' }))),
    'with an unknown field': policy(8, specOf(BROKEN), accepted(7, specOf(OPEN, { colour: 'red' }))),
    'that does not compile': policy(8, specOf(BROKEN), accepted(7, specOf(BROKEN))),
    'that is deeper than anything could read': policy(8, specOf(BROKEN), {
      status: { hosts: [HOST], accepted: { generation: 7, spec: deep() } },
    }),
  };
  for (const [what, object] of Object.entries(refused)) {
    it(`serves no recorded spec ${what}`, async () => {
      const agent = await restarted(object);
      assert.equal(await reasonOf(agent), 'no_route');
      assert.deepEqual(agent.reports.map(said), [
        { isAccepted: false, servesLastGood: false, servingGeneration: undefined, reasons: ['InvalidExpression'] },
      ]);
    });
  }

  it('lets no recorded spec take a host that another namespace is recorded to hold', async () => {
    const forged = policy(8, specOf(BROKEN, { target: { hosts: ['evil.test'] } }), accepted(7, specOf(OPEN)));
    const holder = {
      ...policy(1, specOf(CLOSED), { uid: 'uid-3' }),
      metadata: { ...policy(1, {}).metadata, namespace: 'bank', uid: 'uid-3' },
      status: { hosts: [HOST] },
    };
    for (const objects of [
      [forged, holder],
      [holder, forged],
    ]) {
      const agent = await restarted(...objects);
      // One of the two statuses is forged, and nothing tells which: neither has it.
      assert.equal(await reasonOf(agent, HOST), 'no_route');
    }
  });

  it('serves the last good spec of a policy whose newest asks for a host of another namespace', async () => {
    const wanting = policy(8, specOf(OPEN, { target: { hosts: [HOST, 'taken.test'] } }), accepted(7, specOf(OPEN)));
    const holder = {
      ...policy(1, specOf(CLOSED, { target: { hosts: ['taken.test'] } })),
      metadata: { ...policy(1, {}).metadata, namespace: 'bank', uid: 'uid-3' },
      status: { hosts: ['taken.test'] },
    };
    const agent = await restarted(wanting, holder);
    assert.equal(await reasonOf(agent), 'allowed');
    assert.equal(await reasonOf(agent, 'taken.test'), 'not_allowed');
    assert.deepEqual(agent.reports.map(said)[1], {
      isAccepted: false,
      servesLastGood: true,
      servingGeneration: 7,
      reasons: ['HostConflict'],
    });
  });

  it('keeps each recorded host of a policy that has just asked for another one', async () => {
    const { metadata } = policy(2, {});
    const older = { ...policy(1, specOf(OPEN)), metadata: { ...metadata, namespace: 'a-evil', uid: 'uid-3' } };
    const hosts = [HOST, 'new.example.org'];
    const agent = await restarted(
      older,
      policy(2, specOf(CLOSED, { target: { hosts } }), { status: { hosts: [HOST] } }),
    );
    assert.equal((await agent.check({ host: HOST })).policy?.ref.namespace, 'shop');
    assert.deepEqual(
      agent.reports.map(({ hosts: held, problems }) => [held, problems.map(({ reason }) => reason)]),
      [
        [[], ['HostConflict']],
        [hosts, ['RoleNotFound']],
      ],
    );
  });

  it('keeps what it held before from a live policy of this process, whatever a status says that comes later', async () => {
    const agent = await restarted(policy(1, specOf(CLOSED)));
    const { metadata } = policy(2, {});
    const forged = { ...policy(1, specOf(OPEN)), metadata: { ...metadata, namespace: 'a-evil', uid: 'uid-3' } };
    agent.store.apply({ ...forged, status: { hosts: [HOST] } });
    await agent.apply('');
    assert.equal((await agent.check({ host: HOST })).policy?.ref.namespace, 'shop');
  });

  it('reads the paths of a host as those policies do that governed it, not as an older one that has just come', async () => {
    const keep = { pathOptions: { semicolon: 'Keep' } };
    const { metadata } = policy(2, {});
    const named = (name: string, spec: object, status: object): SourceObject => ({
      ...policy(2, spec),
      metadata: { ...metadata, name, uid: name },
      status,
    });
    const moved = specOf(OPEN, { target: { hosts: ['other.test', HOST], ...keep } });
    const before = specOf(OPEN, { target: { hosts: ['other.test'], ...keep } });
    const admin = specOf(CLOSED, { target: { hosts: [HOST], paths: ['/admin/**'] } });
    const agent = await restarted(
      named('a-site', moved, {
        hosts: ['other.test'],
        accepted: packSpec({ ...policy(1, before), metadata: { ...metadata, generation: 1, uid: 'a-site' } }),
      }),
      // Never accepted, but its place was recorded all the same.
      named('a-trying', specOf(OPEN, { target: { hosts: [HOST], paths: ['/x'], ...keep } }), { hosts: [HOST] }),
      named('b-admin', admin, { hosts: [HOST], accepted: { generation: 2, spec: '' } }),
    );
    assert.equal((await agent.check({ path: '/admin/x' })).policy?.ref.name, 'b-admin');
    assert.equal((await agent.check({ host: 'other.test', path: '/y;x' })).policy?.ref.name, 'a-site');
    assert.equal((await agent.check({ path: '/x' })).decision.reason, 'no_route');
  });
});

describe('a policy that a changed default of a baseline breaks', () => {
  const RULES = { rules: [...OPEN.rules, { name: 'd', deny: { groups: ['x'], via: ['keys'] } }] };
  const bare = { target: { hosts: [HOST] }, authorization: RULES };
  const giving = (generation: number, defaults: object): SourceObject => ({
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIBaseline',
    metadata: { name: 'platform', namespace: '', uid: 'b', generation },
    spec: { namespaceSelector: {}, defaults },
  });
  const methods = (name: string): object => ({ authentication: { anonymous: {}, methods: [{ name, apiKey: {} }] } });
  const later = giving(2, methods('partners'));
  const brokenBy = {
    isAccepted: false,
    servesLastGood: true,
    servingGeneration: 3,
    problems: [
      'No authentication method "keys"; this policy has "partners" (authentication is that of APIBaseline "platform")',
    ],
  };
  const whole = ({ isAccepted, servesLastGood, servingGeneration, problems }: ObjectReport): object => ({
    isAccepted,
    servesLastGood,
    servingGeneration,
    problems: problems.map(({ message }) => message),
  });
  const ofPolicy = (reports: readonly ObjectReport[]): ObjectReport => {
    const found = reports.find(({ object }) => object.kind === 'APIPolicy');
    assert.ok(found);
    return found;
  };

  /** An instance that runs as the baseline changes, and what it wrote of the policy before and after. */
  async function running(): Promise<Loaded & { readonly status: object; readonly report: ObjectReport }> {
    const agent = await restarted(giving(1, methods('keys')), policy(3, bare));
    const before = policyStatus(ofPolicy(agent.reports), [], undefined);
    agent.store.apply(later);
    const report = ofPolicy((await agent.apply('')).reports);
    return { ...agent, report, status: policyStatus(report, [], before) };
  }

  it('is served by a restarted instance as by those that run, and told which baseline it is', async () => {
    const agent = await running();
    const fresh = await restarted(later, policy(3, bare, { status: agent.status }));
    for (const each of [agent, fresh]) assert.equal(await reasonOf(each), 'allowed');
    assert.deepEqual([whole(agent.report), whole(ofPolicy(fresh.reports))], [brokenBy, brokenBy]);
    const written = policyStatus(ofPolicy(fresh.reports), [], agent.status);
    assert.deepEqual(written, agent.status);
  });

  it('serves its newest again once the baseline is mended', async () => {
    const { status } = await running();
    const fresh = await restarted(later, policy(3, bare, { status }));
    fresh.store.apply(giving(3, methods('keys')));
    const { isAccepted, servingGeneration } = ofPolicy((await fresh.apply('')).reports);
    assert.deepEqual([isAccepted, servingGeneration], [true, 3]);
  });

  it('is given nothing more by its record, neither under an older generation', async () => {
    const { status } = await running();
    const limits = { rateLimits: [{ name: 'l', stage: 'BeforeAuthentication', key: [], rates: [NONE] }] };
    const limiting = giving(2, { ...methods('partners'), ...limits });
    for (const generation of [3, 4]) {
      const spec = generation === 3 ? bare : { ...bare, authorization: BROKEN };
      const fresh = await restarted(limiting, policy(generation, spec, { status }));
      assert.equal(ofPolicy(fresh.reports).servingGeneration, 3);
      for (let count = 0; count < 3; count += 1) assert.equal(await reasonOf(fresh), 'allowed');
    }
  });

  const refused: Readonly<Record<string, object>> = {
    'another rule than its own': { ...bare, ...methods('keys'), authorization: { rules: OPEN.rules } },
    'a host that it does not claim': { ...bare, ...methods('keys'), target: { hosts: [HOST, 'other.test'] } },
    'a section that no baseline may give': {
      ...bare,
      ...methods('keys'),
      public: [{ name: 'p', methods: ['GET'], paths: ['/**'] }],
    },
    'a field that nobody knows': { ...bare, ...methods('keys'), colour: 'red' },
  };
  for (const [what, spec] of Object.entries(refused)) {
    it(`takes no record of its own generation for good that has ${what}`, async () => {
      const fresh = await restarted(later, policy(3, bare, { status: { accepted: packSpec(policy(3, spec), []) } }));
      assert.equal(await reasonOf(fresh), 'no_route');
    });
  }

  it('takes no section from a record of its own generation that its author wrote', async () => {
    const spec = { ...bare, ...methods('partners') };
    const forged = { status: { accepted: packSpec(policy(3, { ...bare, ...methods('keys') }), []) } };
    assert.equal(await reasonOf(await restarted(policy(3, spec, forged))), 'no_route');
  });
});

describe('a file', () => {
  it('is never believed what its status says was accepted', async () => {
    const yaml = JSON.stringify({
      ...policy(1, specOf(BROKEN), accepted(7, specOf(OPEN))),
      metadata: { name: 'orders', namespace: 'shop' },
    });
    const agent = await load(yaml, { recordedSpec });
    assert.equal(await reasonOf(agent), 'no_route');
  });
});

function deep(): string {
  const spec = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  return gzipSync(`{"uid":"uid-1","spec":${spec}}`).toString('base64');
}
