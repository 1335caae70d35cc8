import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { DesiredStatus } from '../kube/apply-status.ts';
import { KubeError } from '../kube/kube-error.ts';
import { ManualTimers } from '../kube/manual-timers.fixture.ts';
import { createLog } from '../telemetry/log.ts';
import { SourceTroubles } from './source-troubles.ts';
import { StatusTroubles } from './status-troubles.ts';

const ALL = ['apipolicies', 'apiconsumers', 'apiroles', 'apirolebindings', 'hostgrants', 'apibaselines'];
const account = { namespace: 'infra', name: 'agent' };

let lines: Record<string, unknown>[];
let troubles: SourceTroubles;
let statuses: StatusTroubles;

beforeEach(() => begin([]));

function begin(namespaces: readonly string[]): void {
  const timers = new ManualTimers();
  lines = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ level: 'info', output, clock: timers });
  troubles = new SourceTroubles(log, timers);
  statuses = new StatusTroubles({ log, troubles, namespaces, account });
}

const desired = (name: string, namespace = 'shop'): DesiredStatus => ({
  resource: { group: 'postern.dev', version: 'v1alpha1', plural: namespace === '' ? 'hostgrants' : 'apipolicies' },
  apiVersion: 'postern.dev/v1alpha1',
  kind: namespace === '' ? 'HostGrant' : 'APIPolicy',
  namespace,
  name,
  uid: name,
  generation: 1,
  resourceVersion: '1',
  status: {},
});

/** As RBAC words it. */
const lacks = (verb: 'get' | 'patch', name: string): KubeError =>
  new KubeError(403, `"${name}" is forbidden: User "x" cannot ${verb} resource "apipolicies/status"`);
const noClusterRight = new KubeError(403, 'a ClusterRole has to allow its writer to patch hostgrants/status too');

function command(what: string, verb: string, resources: readonly string[], namespace?: string): string {
  const role = namespace === undefined ? 'clusterrole' : 'role';
  const create = `kubectl${namespace === undefined ? '' : ` -n ${namespace}`} create ${role}`;
  const name = `postern-${what}-infra-agent`;
  return `${create} ${name} --verb=${verb} --resource=${resources} && ${create}binding ${name} --${role}=${name} --serviceaccount=infra:agent`;
}
const ofStatus = (plurals: readonly string[]): string[] => plurals.map((plural) => `${plural}.postern.dev/status`);

const said = (): readonly unknown[] =>
  lines.splice(0).map(({ message, resource, place, why }) => [/again/.test(`${message}`), resource, place, why]);

describe('StatusTroubles', () => {
  it('say in one line of a kind that the rights are missing, with the command that gives them, and when it is over', () => {
    for (let time = 0; time < 2; time += 1)
      for (const name of ['a', 'b', 'c']) statuses.begin(desired(name), lacks('patch', name), false);
    const mend = command('statuses', 'patch', ofStatus(ALL));
    const why = `${lacks('patch', 'a').message}; no author sees a status so: ${mend}`;
    assert.deepEqual(said(), [[false, 'apipolicies/status', '', why]]);
    assert.deepEqual(troubles.lines, [`apipolicies/status: ${why}`]);
    for (const name of ['a', 'b']) statuses.end(desired(name));
    assert.deepEqual(said(), [], 'not while one of them is refused');
    statuses.end(desired('c'));
    assert.deepEqual([said(), troubles.lines], [[[true, 'apipolicies/status', '', undefined]], []]);
  });

  it('give no more than is missing: in a namespace, of the cluster, or for reading again', () => {
    begin(['shop']);
    const namespaced = ALL.slice(0, 4);
    const cluster = ALL.slice(4);
    for (const [about, error, mend] of [
      [desired('a'), lacks('patch', 'a'), command('statuses', 'patch', ofStatus(namespaced), 'shop')],
      [desired('a'), noClusterRight, command('statuses', 'patch', ofStatus(cluster))],
      [desired('g', ''), lacks('patch', 'g'), command('statuses', 'patch', ofStatus(cluster))],
      [
        desired('a'),
        lacks('get', 'a'),
        command(
          'reads',
          'get',
          namespaced.map((plural) => `${plural}.postern.dev`),
          'shop',
        ),
      ],
    ] as const) {
      statuses.begin(about, error, false);
      assert.deepEqual(
        said().map((line) => (line as unknown[])[3]),
        [`${error.message}; no author sees a status so: ${mend}`],
      );
    }
  });

  it('say what else refuses once for each object, and print no command for it', () => {
    const refused = new KubeError(403, 'admission webhook "x" denied the request');
    for (const name of ['a', 'b', 'a', 'b']) statuses.begin(desired(name), refused, false);
    assert.deepEqual(said(), [
      [false, 'apipolicies/status', 'shop/a', refused.message],
      [false, 'apipolicies/status', 'shop/b', refused.message],
    ]);
    statuses.begin(desired('c'), new KubeError(422, 'too long'), true);
    assert.deepEqual(said(), [[false, undefined, undefined, 'APIPolicy shop/c: too long']]);
    assert.equal(troubles.lines.length, 2, 'what is not tried again does not last');
  });

  it('take an outage for one of the API server, which is over when a status is written', () => {
    for (const name of ['a', 'b']) statuses.begin(desired(name), new KubeError(503, 'away'), false);
    assert.deepEqual([said(), troubles.causes], [[], ['away']]);
    for (const name of ['a', 'b']) statuses.end(desired(name));
    assert.deepEqual([said(), troubles.causes], [[], []]);
  });

  it('forget everything without a word when another replica writes', () => {
    statuses.begin(desired('a'), lacks('patch', 'a'), false);
    said();
    statuses.forget();
    statuses.end(desired('a'));
    assert.deepEqual([said(), troubles.lines], [[], []]);
  });
});
