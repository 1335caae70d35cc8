import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { apply, post, put, type SentObject, startCrdCluster } from './crd-cluster.ts';
import { isTakenByAgent } from './taken-by-agent.ts';
import { WRONG_CLUSTER_KINDS } from './wrong-cluster-kinds.ts';
import { WRONG_IDENTITIES } from './wrong-identities.ts';
import { WRONG_LIMITS } from './wrong-limits.ts';
import { WRONG_POLICIES } from './wrong-policies.ts';
import { WRONG_RULES } from './wrong-rules.ts';
import type { WrongShape } from './wrong-shape.ts';
import { WRONG_VALIDATION } from './wrong-validation.ts';

const SHAPES = [
  ...WRONG_POLICIES,
  ...WRONG_RULES,
  ...WRONG_LIMITS,
  ...WRONG_VALIDATION,
  ...WRONG_IDENTITIES,
  ...WRONG_CLUSTER_KINDS,
];
const nameOf = (shape: WrongShape): string => `shape-${SHAPES.indexOf(shape)}`;
const sent = (shape: WrongShape): SentObject => ({ ...shape, name: nameOf(shape) });

describe('a wrong shape is refused at apply, by path and in words', async () => {
  const found = await obtainKubernetes();
  let api: ApiServer;
  let applied: ReadonlyMap<string, string>;
  let appliedByServer: ReadonlyMap<string, string>;

  before(async () => {
    if (!('path' in found)) return;
    api = await startCrdCluster(found.path);
    for (const shape of SHAPES)
      if (shape.before !== undefined)
        assert.equal(await post(api, { ...sent(shape), spec: shape.before }, 'store'), undefined, shape.what);
    applied = await apply(api, SHAPES.map(sent), []);
    appliedByServer = await apply(api, SHAPES.map(sent), ['--server-side', '--validate=false', '--force-conflicts']);
  });
  after(async () => api?.stop());

  for (const shape of SHAPES) {
    it(`${shape.kind}: ${shape.what}`, async (t) => {
      if (requireComponent(found, t) === undefined) return;
      includes(applied.get(nameOf(shape)), shape.says);
      includes(appliedByServer.get(nameOf(shape)), shape.typed ?? shape.says);
      includes(
        await (shape.before === undefined ? post(api, sent(shape), 'store') : put(api, sent(shape))),
        shape.says,
      );
    });
  }

  it('of a class that an update leaves out is a change to the default class', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const target = { hosts: ['a.example.org'] };
    const of = (spec: object): SentObject => ({ kind: 'APIPolicy', name: 'class-1', spec });
    assert.equal(await post(api, of({ className: 'edge', target }), 'store'), undefined);
    includes(await put(api, of({ target })), 'spec.className: Invalid value: className is immutable');
  });

  it('of no spec at all is refused before it is sent, and where it is sent', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const nothing: SentObject = { kind: 'APIRole', name: 'nothing-1', spec: undefined };
    includes((await apply(api, [nothing], [])).get(''), 'missing required field "spec"');
    includes(
      (await apply(api, [nothing], ['--server-side', '--validate=false'])).get('nothing-1'),
      'spec: Required value',
    );
    includes(await post(api, nothing, 'store'), 'spec: Required value');
  });

  it('is refused by the agent too, which may read what no API server has seen', () => {
    const taken = SHAPES.filter(
      (shape) => shape.before === undefined && shape.isLater !== true && isTakenByAgent(sent(shape)),
    );
    assert.deepEqual(
      taken.map(({ what }) => what),
      [],
    );
  });
});

function includes(text: string | undefined, part: string): void {
  assert.ok(text?.includes(part), `wanted: ${part}\nsaid: ${text}`);
}
