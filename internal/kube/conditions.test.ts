import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Problem } from '../core/problem.ts';
import type { ObjectReport } from '../policy/store.ts';
import { unpackSpec } from './accepted-spec.ts';
import { conditionsOf, policyStatus, saysSame } from './conditions.ts';

const THEN = '2026-11-24T12:00:00Z';
const NOW = '2026-11-24T13:00:00Z';

const aReport = (parts: Partial<ObjectReport> = {}, kind = 'APIPolicy'): ObjectReport => ({
  object: {
    apiVersion: 'postern.dev/v1alpha1',
    kind,
    metadata: { name: 'orders', namespace: 'shop', uid: 'uid-1', generation: 3 },
    spec: { target: { hosts: ['api.example.org'] } },
  },
  isAccepted: true,
  servesLastGood: false,
  servingGeneration: 3,
  isShadowed: false,
  problems: [],
  hosts: ['api.example.org'],
  ...parts,
});

const aProblem = (reason: Problem['reason'], severity: Problem['severity'], message = 'mend it'): Problem => ({
  reason,
  severity,
  path: 'spec.target',
  message,
});

const inShort = (report: ObjectReport): readonly string[] =>
  conditionsOf(report, [], NOW).map(({ type, status, reason, message }) =>
    `${type} ${status} ${reason} ${message}`.trim(),
  );

describe('conditionsOf()', () => {
  it('says of a policy that serves: accepted, resolved, programmed, for its generation', () => {
    const shared = { status: 'True', message: '', observedGeneration: 3, lastTransitionTime: NOW };
    assert.deepEqual(conditionsOf(aReport(), [], NOW), [
      { type: 'Accepted', reason: 'Accepted', ...shared },
      { type: 'ResolvedRefs', reason: 'ResolvedRefs', ...shared },
      { type: 'Programmed', reason: 'Programmed', ...shared },
    ]);
  });

  it('says nothing of Programmed for kinds that are live', () => {
    assert.deepEqual(inShort(aReport({}, 'APIRole')), ['Accepted True Accepted', 'ResolvedRefs True ResolvedRefs']);
  });

  it('puts each severity into its own condition, with field paths', () => {
    const problems = [
      aProblem('Invalid', 'error'),
      aProblem('RoleNotFound', 'reference'),
      aProblem('TransportUnknown', 'warning'),
    ];
    const report = aReport({ isAccepted: false, servesLastGood: true, servingGeneration: 2, problems });
    assert.deepEqual(inShort(report), [
      'Accepted False Invalid spec.target: mend it',
      'ResolvedRefs False RoleNotFound Of generation 2, which serves: spec.target: mend it',
      'Programmed False LastGoodServes Generation 2 serves until generation 3 is mended',
      'Warning True TransportUnknown spec.target: mend it',
    ]);
  });

  it('says whose references resolve while an older spec serves', () => {
    const problems = [aProblem('Invalid', 'error')];
    const report = aReport({ isAccepted: false, servesLastGood: true, servingGeneration: 2, problems });
    assert.equal(inShort(report)[1], 'ResolvedRefs True ResolvedRefs Of generation 2, which serves');
  });

  it('says that nothing serves of a policy that never was accepted', () => {
    const report = aReport({
      isAccepted: false,
      servingGeneration: undefined,
      problems: [aProblem('Invalid', 'error')],
    });
    assert.equal(
      inShort(report)[2],
      'Programmed False NeverAccepted What it claims of "api.example.org" is refused until a spec of it is accepted',
    );
    const problems = [aProblem('HostConflict', 'error')];
    assert.equal(
      inShort(aReport({ isAccepted: false, servingGeneration: undefined, hosts: [], problems }))[2],
      'Programmed False NeverAccepted It governs nothing until a spec of it is accepted',
    );
  });

  it('says that older policies govern everything of a policy that is shadowed', () => {
    assert.match(inShort(aReport({ isShadowed: true }))[2] ?? '', /^Programmed False TargetConflict Older policies/);
  });

  it('says who does not serve an accepted policy yet', () => {
    const [, , programmed] = conditionsOf(aReport(), [], NOW, '1 of 2 replicas serve generation 3; not yet "b"');
    assert.deepEqual(
      [programmed?.status, programmed?.reason, programmed?.message],
      ['False', 'Pending', '1 of 2 replicas serve generation 3; not yet "b"'],
    );
  });

  it('says DataPlaneCompatible=False of a policy that reads bodies which may not come, and else nothing of it', () => {
    const problems = [aProblem('BodyNotForwarded', 'warning'), aProblem('TransportUnknown', 'warning')];
    assert.deepEqual(inShort(aReport({ problems })).slice(3), [
      'DataPlaneCompatible False BodyNotForwarded spec.target: mend it',
      'Warning True TransportUnknown spec.target: mend it',
    ]);
    assert.equal(inShort(aReport({ problems: problems.slice(0, 1) })).length, 4);
  });

  it('names the first eight problems and counts the rest, within the bound of a message', () => {
    const problems = Array.from({ length: 20 }, (_, i) => aProblem('Invalid', 'error', `no ${i}`));
    const [accepted] = conditionsOf(aReport({ problems }), [], NOW);
    assert.match(accepted?.message ?? '', /no 7; and 12 more$/);
    const long = aReport({ problems: [aProblem('Invalid', 'error', 'x'.repeat(50_000))] });
    assert.equal(conditionsOf(long, [], NOW)[0]?.message.length, 4096);
  });

  it('keeps the time of the last change while the status stays, whatever the reason says', () => {
    const before = conditionsOf(aReport({ isAccepted: false, problems: [aProblem('Invalid', 'error')] }), [], THEN);
    const after = conditionsOf(
      aReport({ isAccepted: false, problems: [aProblem('InvalidPath', 'error')] }),
      before,
      NOW,
    );
    assert.deepEqual(
      after.map(({ type, reason, lastTransitionTime }) => [type, reason, lastTransitionTime]),
      [
        ['Accepted', 'InvalidPath', THEN],
        ['ResolvedRefs', 'ResolvedRefs', THEN],
        ['Programmed', 'NeverAccepted', THEN],
      ],
    );
    assert.deepEqual(
      conditionsOf(aReport(), after, NOW).map(({ lastTransitionTime }) => lastTransitionTime),
      [NOW, THEN, NOW],
    );
  });
});

describe('policyStatus()', () => {
  it('records the spec that is accepted now, and the hosts that are held', () => {
    const report = aReport();
    const status = policyStatus(report, [], undefined) as { hosts: unknown; accepted: object };
    assert.deepEqual(status.hosts, ['api.example.org']);
    const newer = { ...report.object, metadata: { ...report.object.metadata, generation: 4 }, status };
    assert.deepEqual(unpackSpec(newer, 'postern'), { generation: 3, spec: report.object.spec, isFilled: true });
  });

  it('carries on what was accepted before while the newest is refused', () => {
    const accepted = { generation: 2, spec: 'packed' };
    const report = aReport({ isAccepted: false, hosts: [] });
    assert.deepEqual(policyStatus(report, [], { accepted }), { conditions: [], accepted });
    assert.deepEqual(policyStatus(report, [], undefined), { conditions: [] });
  });

  it('lets no older spec stand for an accepted one that is too large to be kept', () => {
    const report = aReport();
    const large = { ...report, object: { ...report.object, spec: { long: 'x'.repeat(1_048_576) } } };
    const accepted = { generation: 2, spec: 'older' };
    assert.deepEqual(policyStatus(large, [], { accepted }), { conditions: [], hosts: ['api.example.org'] });
  });
});

describe('saysSame()', () => {
  it('compares whatever the order of members, and minds the order of items', () => {
    assert.equal(saysSame({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }), true);
    assert.equal(saysSame([1, 2], [2, 1]), false);
    assert.equal(saysSame({ a: 1 }, undefined), false);
  });
});
