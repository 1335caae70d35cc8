import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { SourceObject } from '../policy/object.ts';
import { packSpec, unpackSpec as unpackFor } from './accepted-spec.ts';

const SPEC = { target: { hosts: ['api.example.org'] } };

const policy = (generation: number, rest: Partial<SourceObject> = {}, uid = 'uid-1'): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIPolicy',
  metadata: { name: 'orders', namespace: 'shop', uid, generation },
  ...rest,
});
const unpackSpec = (object: SourceObject) => unpackFor(object, 'postern');
const gzipped = (value: unknown): string => gzipSync(JSON.stringify(value)).toString('base64');

describe('packSpec', () => {
  it('makes what unpackSpec reads back under a newer generation of the same object', () => {
    const accepted = packSpec(policy(3, { spec: SPEC }));
    assert.deepEqual(unpackSpec(policy(4, { status: { accepted } })), { generation: 3, spec: SPEC });
  });

  it('packs what baselines gave with the rest, and says so', () => {
    const given = [{ section: 'auditLog', by: 'platform', value: { allows: { percent: 5 } } }] as const;
    const spec = { ...SPEC, auditLog: { allows: { percent: 5 } } };
    const accepted = packSpec(policy(3, { spec: SPEC }), given);
    assert.deepEqual(unpackSpec(policy(3, { status: { accepted } })), { generation: 3, spec, isFilled: true });
    assert.deepEqual(unpackSpec(policy(3, { status: { accepted: packSpec(policy(3, { spec }), []) } })), {
      generation: 3,
      spec,
      isFilled: true,
    });
  });

  it('packs nothing that the schema of the status would refuse for its length', () => {
    const noise = Array.from({ length: 400_000 }, (_, index) => ((index * 2_654_435_761) >>> 0).toString(36)).join('');
    assert.equal(packSpec(policy(1, { spec: { noise: noise.slice(0, 1_900_000) } })), undefined);
    assert.notEqual(packSpec(policy(1, { spec: { many: Array(60_000).fill(1) } })), undefined);
    assert.equal(packSpec(policy(1, { spec: { long: 'x'.repeat(1024 * 1024) } })), undefined);
    assert.equal(packSpec(policy(1, { spec: { many: Array(70_000).fill(1) } })), undefined);
  });
});

describe('unpackSpec of a kind of the cluster', () => {
  const accepted = packSpec(policy(3, { spec: SPEC }));
  const grant = (status: unknown): SourceObject => ({ ...policy(4, { status }), kind: 'HostGrant' });

  it('reads the entry of its own class, and no other', () => {
    const instances = [{ className: 'edge' }, { className: 'postern', accepted }];
    assert.deepEqual(unpackFor(grant({ instances }), 'postern'), { generation: 3, spec: SPEC });
    assert.equal(unpackFor(grant({ instances }), 'edge'), undefined);
    assert.equal(unpackFor(grant({ instances }), 'other'), undefined);
  });

  it('takes nothing from where a policy keeps it', () => {
    for (const status of [{ accepted }, { instances: { accepted } }, { instances: [null, 7] }])
      assert.equal(unpackFor(grant(status), 'postern'), undefined);
  });
});

describe('unpackSpec', () => {
  const good = packSpec(policy(3, { spec: SPEC }));
  const forged: Readonly<Record<string, unknown>> = {
    'no accepted spec': undefined,
    'a text': 'accepted',
    'a generation that is text': { ...good, generation: '3' },
    'generation 0': { ...good, generation: 0 },
    'half a generation': { ...good, generation: 2.5 },
    'a generation that is yet to come': { ...good, generation: 5 },
    'no packed text': { generation: 3 },
    'a packed number': { generation: 3, spec: 7 },
    'what is not base64': { generation: 3, spec: '%%%' },
    'what is not gzip': { generation: 3, spec: Buffer.from('{}').toString('base64') },
    'a gzip cut short': { generation: 3, spec: good?.spec.slice(0, 40) },
    'gzip of what is not JSON': { generation: 3, spec: gzipSync('{').toString('base64') },
    'gzip of null': { generation: 3, spec: gzipped(null) },
    'a spec without its uid': { generation: 3, spec: gzipped(SPEC) },
    'the spec of another object': { generation: 3, spec: gzipped({ uid: 'uid-2', spec: SPEC }) },
    'a small text that inflates to 64 MiB': { generation: 3, spec: gzipSync(Buffer.alloc(1 << 26)).toString('base64') },
    'a small text of half a million lists': {
      generation: 3,
      spec: gzipped({ uid: 'uid-1', spec: Array(500_000).fill([]) }),
    },
    'a text longer than its bound': { generation: 3, spec: 'A'.repeat(1_000_001) },
  };
  for (const [what, accepted] of Object.entries(forged)) {
    it(`takes nothing from ${what}`, () => {
      assert.equal(unpackSpec(policy(4, { status: { accepted } })), undefined);
    });
  }

  it('takes nothing from a status that is none', () => {
    for (const status of [undefined, null, 7, 'text', []]) assert.equal(unpackSpec(policy(4, { status })), undefined);
  });

  it('gives an object that was made anew nothing of the one before it', () => {
    assert.equal(unpackSpec(policy(4, { status: { accepted: good } }, 'uid-2')), undefined);
  });
});
