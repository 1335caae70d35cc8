import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Problem } from '../core/problem.ts';
import { ClusterObjects, type ClusterObjectsOptions } from './cluster-objects.ts';
import type { SourceObject } from './object.ts';
import { PORTS } from './policy-ports.fixture.ts';

const noPause = (): undefined => undefined;
const EVERYWHERE = { hosts: ['a.example.org'], namespaceSelector: {} };

const grant = (generation: number, spec: unknown, uid = 'uid-1'): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'HostGrant',
  metadata: { name: 'shop', namespace: '', uid, generation },
  spec,
});
const namespace = (name: string, labels?: Readonly<Record<string, string>>): SourceObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, namespace: '', uid: name, generation: 1, ...(labels && { labels }) },
});
const objectsOf = (rest: Partial<ClusterObjectsOptions> = {}): ClusterObjects =>
  new ClusterObjects({
    hasNamespaces: true,
    hasEveryNamespace: true,
    recordedSpec: () => undefined,
    ports: PORTS,
    ...rest,
  });

async function served(objects: ClusterObjects): Promise<readonly unknown[]> {
  const { grants, reports } = await objects.compile(noPause);
  return [grants.map(({ spec }) => spec.hosts), reports.map((report) => [report.isAccepted, report.servingGeneration])];
}

describe('ClusterObjects', () => {
  it('keeps the last good spec of a grant while the newest is wrong, and not for one made anew', async () => {
    const objects = objectsOf();
    objects.apply('HostGrant', grant(1, EVERYWHERE));
    assert.deepEqual(await served(objects), [[['a.example.org']], [[true, 1]]]);
    objects.apply('HostGrant', grant(2, { hosts: [] }));
    assert.deepEqual(await served(objects), [[['a.example.org']], [[false, 1]]]);
    objects.apply('HostGrant', grant(1, { hosts: [] }, 'uid-2'));
    assert.deepEqual(await served(objects), [[], [[false, undefined]]]);
  });

  it('takes up what was recorded of before the newest, after checking it in full', async () => {
    for (const [recorded, expected] of [
      [{ generation: 1, spec: EVERYWHERE }, [[['a.example.org']], [[false, 1]]]],
      [{ generation: 1, spec: { hosts: ['a.example.org'] } }, [[], [[false, undefined]]]],
      [{ generation: 2, spec: EVERYWHERE }, [[], [[false, undefined]]]],
    ] as const) {
      const objects = objectsOf({ recordedSpec: () => recorded });
      objects.apply('HostGrant', grant(2, { hosts: [] }));
      assert.deepEqual(await served(objects), expected);
    }
  });

  it('takes nothing that was recorded of the newest itself, whatever a forged status says was given to it', async () => {
    const forged = { generation: 2, spec: { ...EVERYWHERE, transport: {} }, isFilled: true };
    const objects = objectsOf({ recordedSpec: () => forged });
    objects.apply('HostGrant', grant(2, { hosts: [] }));
    assert.deepEqual(await served(objects), [[], [[false, undefined]]]);
  });

  it('reads what was recorded in vain no second time, until there is something else', async () => {
    const read: string[] = [];
    const objects = objectsOf({
      recordedSpec({ status }) {
        const { hosts } = (status as { instances: { hosts: string }[] }).instances[0] ?? { hosts: '' };
        read.push(hosts);
        return { generation: 1, spec: hosts === 'good' ? EVERYWHERE : {} };
      },
    });
    for (const [hosts, seen] of [
      ['bad', 1],
      ['bad', 2],
      ['good', 2],
    ] as const) {
      objects.apply('HostGrant', { ...grant(2, { hosts: [] }), status: { instances: [{ hosts }], seen } });
      await objects.compile(noPause);
    }
    assert.deepEqual(read, ['bad', 'good']);
    assert.deepEqual(await served(objects), [[['a.example.org']], [[false, 1]]]);
  });

  it('knows the labels of a namespace once its object came, and its name always has one', async () => {
    const objects = objectsOf();
    objects.apply('Namespace', namespace('shop', { team: 'a', 'kubernetes.io/metadata.name': 'forged' }));
    const { labelsOf } = await objects.compile(noPause);
    assert.deepEqual(
      [labelsOf('shop'), labelsOf('web')],
      [{ team: 'a', 'kubernetes.io/metadata.name': 'shop' }, undefined],
    );
    const files = await objectsOf({ hasNamespaces: false }).compile(noPause);
    assert.deepEqual(files.labelsOf('web'), { 'kubernetes.io/metadata.name': 'web' });
  });

  it('says of grants and baselines that no namespace has the labels for, until one has', async () => {
    const objects = objectsOf();
    const selecting = (namespaceSelector: object): SourceObject =>
      grant(1, { hosts: ['a.example.org'], namespaceSelector }, JSON.stringify(namespaceSelector));
    const said = async (): Promise<readonly unknown[]> => {
      const { reports } = await objects.compile(noPause);
      return reports.map(({ object, isAccepted, problems }) => [object.kind, isAccepted, problems.map(wordsOf)]);
    };
    const wordsOf = ({ reason, severity, path, message }: Problem): string =>
      `${reason} ${severity} ${path}: ${message}`;
    const because = (command: string): string =>
      `SelectsNobody warning spec.namespaceSelector: No namespace has these labels, so nobody has anything of it: ${command}, or select by labels that kubectl get namespaces --show-labels shows`;
    objects.apply('Namespace', namespace('web'));
    objects.apply('HostGrant', selecting({ matchLabels: { team: 'shop', tier: 'a' } }));
    objects.apply('APIBaseline', {
      ...selecting({ matchLabels: { 'kubernetes.io/metadata.name': 'pay' } }),
      kind: 'APIBaseline',
      spec: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'pay' } },
        defaults: { transport: {} },
      },
    });
    const [ofGrant, ofBaseline] = [
      because('kubectl label namespace NAMESPACE team=shop tier=a'),
      because('kubectl create namespace pay'),
    ];
    assert.deepEqual(await said(), [
      ['HostGrant', true, [ofGrant]],
      ['APIBaseline', true, [ofBaseline]],
    ]);
    assert.deepEqual(await said(), [
      ['HostGrant', true, [ofGrant]],
      ['APIBaseline', true, [ofBaseline]],
    ]);
    objects.apply('Namespace', namespace('pay', { team: 'shop', tier: 'a' }));
    assert.deepEqual(await said(), [
      ['HostGrant', true, []],
      ['APIBaseline', true, []],
    ]);
    objects.delete('Namespace', 'pay');
    assert.deepEqual(await said(), [
      ['HostGrant', true, [ofGrant]],
      ['APIBaseline', true, [ofBaseline]],
    ]);
    objects.apply('HostGrant', selecting({ matchExpressions: [{ key: 'team', operator: 'Exists' }] }));
    assert.deepEqual((await said())[0], ['HostGrant', true, [because('kubectl label namespace NAMESPACE KEY=VALUE')]]);
  });

  it('prints no command that would make a namespace of a name that none can have', async () => {
    for (const name of ['Shop', 'a.b', 'a_b', '']) {
      const objects = objectsOf();
      const matchLabels = { 'kubernetes.io/metadata.name': name, team: 'shop' };
      objects.apply('HostGrant', grant(1, { hosts: ['a.example.org'], namespaceSelector: { matchLabels } }));
      const { reports } = await objects.compile(noPause);
      const [said = ''] = reports.flatMap(({ problems }) => problems.map(({ message }) => message));
      assert.doesNotMatch(said, /kubectl (create|label)/, name);
      assert.ok(
        said.includes(`no namespace can be called "${name}": write kubernetes.io/metadata.name in lower-case`),
        said,
      );
    }
  });

  it('says of none that it selects nobody where other namespaces than its own are not shown', async () => {
    for (const hidden of [{ hasEveryNamespace: false }, { hasEveryNamespace: false, hasNamespaces: false }]) {
      const objects = objectsOf(hidden);
      objects.apply(
        'HostGrant',
        grant(1, { hosts: ['a.example.org'], namespaceSelector: { matchLabels: { a: 'b' } } }),
      );
      const { reports } = await objects.compile(noPause);
      assert.deepEqual(
        reports.map(({ problems }) => problems),
        [[]],
      );
    }
  });

  it('says that nothing is new where only what nobody reads of a Namespace changed', () => {
    const objects = objectsOf();
    const told = [{ team: 'a' }, { team: 'a' }, { team: 'b' }].map((labels) =>
      objects.apply('Namespace', namespace('shop', labels)),
    );
    assert.deepEqual(told, [true, false, true]);
  });
});
