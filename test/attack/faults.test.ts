import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attributes, headerFields } from '../../internal/core/attributes.ts';
import { systemClock } from '../../internal/core/clock.ts';
import type { Step } from '../../internal/core/evaluation.ts';
import { PathTable } from '../../internal/match/path-table.ts';
import type { CompiledPolicy, Served } from '../../internal/policy/compiled-policy.ts';
import { Engine } from '../../internal/policy/evaluate.ts';
import { HostTable } from '../../internal/policy/host-table.ts';
import type { Snapshot } from '../../internal/policy/snapshot.ts';
import { load } from '../cases/run-case.ts';

const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]}
  transport: {requireTLS: false}
  authentication: {anonymous: {}, methods: [{name: keys, apiKey: {}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: none, deny: {methods: [DELETE]}}]}
  rateLimits:
    - {name: a, stage: BeforeAuthentication, rates: [{requests: 1000000, window: 1s}]}
    - {name: b, stage: AuthenticationFailure, rates: [{requests: 1000000, window: 1s}]}
    - {name: c, stage: AfterAuthentication, rates: [{requests: 1000000, window: 1s}]}
  response: {upstreamHeaders: [{name: x-caller, value: {expression: identity.kind}}]}
`;

const ATTRIBUTES: Attributes = {
  id: '',
  method: 'GET',
  scheme: 'http',
  host: 'api.example.org',
  target: '/',
  protocol: 'HTTP/1.1',
  headers: headerFields([]),
  timeMs: 0,
  size: 0,
  body: undefined,
  source: { address: '192.0.2.1', principal: '', certificate: '' },
  destination: { address: '', principal: '', certificate: '' },
  contextExtensions: new Map(),
  metadata: () => ({}),
  routeMetadata: () => undefined,
  tlsSession: undefined,
};
const CALL = {
  deadlineMs: undefined,
  isCancelled: () => false,
  trace: { startPhase: () => undefined, endPhase: () => undefined },
};

const FAULTS: Readonly<Record<string, Step>> = {
  throws: () => {
    throw new Error('injected');
  },
  'throws undefined': () => {
    throw undefined;
  },
  rejects: () => Promise.reject(new Error('injected')),
  'rejects with nothing': () => Promise.reject(),
  hangs: () => new Promise(() => undefined),
};

async function policyOf(): Promise<{ readonly policy: CompiledPolicy; readonly snapshot: Snapshot }> {
  const { build } = await load(POLICIES);
  const policy = build.snapshot.named.get('default/api')?.policy;
  assert.ok(policy);
  return { policy, snapshot: build.snapshot };
}

function engineOf(
  snapshot: Snapshot,
  policy: CompiledPolicy,
  options: Partial<ConstructorParameters<typeof Engine>[1]> = {},
): Engine {
  const table = new PathTable<Served>({ caseInsensitive: false });
  for (const template of policy.target.templates)
    table.add({ template, value: { namespace: 'default', isAudit: false, policy } });
  const hosts = new HostTable(new Map([['api.example.org', { namespace: 'default', isAudit: false, table }]]));
  const edge = {
    clientAddress: { kind: 'direct' },
    bodiesForwarded: false,
    transportTls: false,
    trustContextExtensions: false,
  } as const;
  return new Engine(() => ({ ...snapshot, hosts }), {
    edge,
    unmatched: 'deny',
    routeMetadata: 'optional',
    checkTimeoutMs: 30,
    clock: systemClock,
    newDecisionId: () => 'id',
    ...options,
  });
}

describe('a fault is never an allow', async () => {
  const { policy, snapshot } = await policyOf();

  it('allows without a fault, so that what follows means something', async () => {
    assert.equal((await engineOf(snapshot, policy).check(ATTRIBUTES, CALL)).decision.outcome, 'allow');
  });

  for (const [index, { phase }] of policy.steps.entries()) {
    for (const [fault, step] of Object.entries(FAULTS)) {
      it(`when step ${index} (${phase}) ${fault}`, async () => {
        const steps = policy.steps.map((row, i) => (i === index ? { ...row, step } : row));
        const { decision } = await engineOf(snapshot, { ...policy, steps }).check(ATTRIBUTES, CALL);
        assert.equal(decision.outcome, 'fault');
        assert.equal(decision.reason, fault === 'hangs' ? 'deadline' : 'internal');
      });
    }
  }

  const boom = (): never => {
    throw new Error('injected');
  };
  const broken: Readonly<Record<string, () => Engine>> = {
    'the clock throws': () => engineOf(snapshot, policy, { clock: { wallMs: boom, monotonicMs: boom } }),
    'the header edits throw': () =>
      engineOf(snapshot, {
        ...policy,
        edits: {
          ...policy.edits,
          upstreamHeaders: [{ name: 'x', value: { text: boom } as never, action: 'Set', missing: 'Remove' }],
        },
      }),
    'the tables throw': () =>
      engineOf(
        {
          ...snapshot,
          get named(): never {
            return boom();
          },
        },
        policy,
      ),
    'the namespace is gone': () => engineOf({ ...snapshot, namespaces: new Map() }, policy),
    'the spans throw': () => engineOf(snapshot, policy),
  };
  for (const [name, make] of Object.entries(broken)) {
    it(`when ${name}`, async () => {
      const call = name === 'the spans throw' ? { ...CALL, trace: { startPhase: boom, endPhase: boom } } : CALL;
      const attributes =
        name === 'the tables throw'
          ? { ...ATTRIBUTES, contextExtensions: new Map([['postern.dev/policy', 'default/api']]) }
          : ATTRIBUTES;
      const engine = name === 'the tables throw' ? engineTrusting(snapshot, policy, boom) : make();
      const { decision } = await engine.check(attributes, call);
      assert.equal(decision.outcome, 'fault');
    });
  }
});

function engineTrusting(snapshot: Snapshot, policy: CompiledPolicy, boom: () => never): Engine {
  const edge = {
    clientAddress: { kind: 'direct' },
    bodiesForwarded: false,
    transportTls: false,
    trustContextExtensions: true,
  } as const;
  return engineOf({ ...snapshot, named: { get: boom } as never }, policy, { edge });
}
