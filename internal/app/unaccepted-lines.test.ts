import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ManualTimers } from '../kube/manual-timers.fixture.ts';
import type { ObjectReport } from '../policy/store.ts';
import { createLog } from '../telemetry/log.ts';
import { UnacceptedLines } from './unaccepted-lines.ts';

let lines: string[];
let unaccepted: UnacceptedLines;

beforeEach(() => {
  const clock = new ManualTimers();
  lines = [];
  const output = {
    write(text: string): void {
      const { message, policy } = JSON.parse(text) as { readonly message: string; readonly policy?: string };
      lines.push(policy === undefined ? message : `${message}: ${policy}`);
    },
  };
  unaccepted = new UnacceptedLines(createLog({ level: 'info', output, clock }), clock);
});

function report(namespace: string, name: string, { isAccepted = false, kind = 'APIRole' } = {}): ObjectReport {
  const problem = { reason: 'Invalid', path: 'spec', message: 'It is wrong', severity: 'error' } as const;
  return {
    object: {
      apiVersion: 'postern.dev/v1alpha1',
      kind,
      metadata: { namespace, name, uid: `${namespace}/${name}`, generation: 2 },
      spec: {},
    },
    isAccepted,
    servesLastGood: false,
    servingGeneration: undefined,
    isShadowed: false,
    problems: isAccepted ? [] : [problem],
    hosts: [],
  };
}

async function told(reports: readonly ObjectReport[]): Promise<readonly string[]> {
  await unaccepted.tell(reports);
  return lines.splice(0);
}

const line = (namespace: string, name: string): string =>
  `APIRole/${namespace}/${name}: generation 2 is not accepted: spec: It is wrong`;

describe('UnacceptedLines', () => {
  it('say an object once, and when the newest version of a policy serves', async () => {
    const wrong = [report('shop', 'a'), report('shop', 'orders', { kind: 'APIPolicy' })];
    const [role, policy, ...more] = await told(wrong);
    assert.deepEqual([role, more], [line('shop', 'a'), []]);
    assert.match(policy ?? '', /^APIPolicy\/shop\/orders: generation 2 is not accepted: /);
    assert.deepEqual(await told([...wrong]), []);
    const mended = [
      report('shop', 'a', { isAccepted: true }),
      report('shop', 'orders', { kind: 'APIPolicy', isAccepted: true }),
    ];
    assert.deepEqual(await told(mended), ['The newest version of a policy serves now: APIPolicy/shop/orders']);
    assert.deepEqual(await told([...mended]), []);
  });

  it('say no more than twenty of one namespace for a build, so that none drowns the lines of others', async () => {
    const flood = Array.from({ length: 1000 }, (_, i) => report('evil', `r${i}`));
    const found = await told([...flood, report('bank', 'a')]);
    assert.deepEqual(found, [
      ...Array.from({ length: 20 }, (_, i) => line('evil', `r${i}`)),
      line('bank', 'a'),
      '980 more objects of namespace evil are not accepted: kubectl get postern -n evil shows them',
    ]);
    assert.deepEqual(await told([...flood, report('bank', 'a')]), []);
  });
});
