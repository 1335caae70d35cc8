import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Problem, ProblemList } from '../../core/problem.ts';
import type { SourceObject } from '../object.ts';
import { readEnvelope, uidOf } from './envelope.ts';

const ROLE = { apiVersion: 'postern.dev/v1alpha1', kind: 'APIRole', metadata: { name: 'reader' }, spec: {} };
const SECRET = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'acme' } };

function read(value: unknown): { readonly object: SourceObject | undefined; readonly problems: readonly Problem[] } {
  const list = new ProblemList('');
  return { object: readEnvelope(value, list), problems: list.problems };
}

const said = (value: unknown): string[] =>
  read(value).problems.map(({ path, message, reason }) => `${path}: ${message} (${reason})`);

describe('readEnvelope()', () => {
  it('reads an object with the defaults of a file', () => {
    assert.deepEqual(read(ROLE), {
      object: {
        apiVersion: 'postern.dev/v1alpha1',
        kind: 'APIRole',
        metadata: {
          name: 'reader',
          namespace: 'default',
          uid: uidOf('APIRole', 'default', 'reader'),
          generation: 1,
          labels: {},
          annotations: {},
        },
        spec: {},
      },
      problems: [],
    });
  });

  it('reads the dump of a cluster, without what the cluster wrote', () => {
    const metadata = { name: 'reader', namespace: 'shop', uid: 'theirs', generation: 7, resourceVersion: '12' };
    const { object, problems } = read({ ...ROLE, metadata, status: { hosts: ['api.example.org'] } });
    assert.deepEqual(problems, []);
    const own = { uid: uidOf('APIRole', 'shop', 'reader'), generation: 1, labels: {}, annotations: {} };
    const { apiVersion, kind, spec } = ROLE;
    assert.deepEqual(object, { apiVersion, kind, metadata: { name: 'reader', namespace: 'shop', ...own }, spec });
  });

  it('gives what names itself but is wrong with its problems, so that what it claims is held', () => {
    const { object, problems } = read({ ...ROLE, metadata: { name: 'reader', lables: {} }, data: {} });
    assert.equal(problems.length, 2);
    assert.deepEqual([object?.metadata.name, object?.spec, object?.problems], ['reader', {}, problems]);
    assert.equal(read({ ...ROLE, metadata: { name: 'Reader' } }).object, undefined);
  });

  it('quotes no more than a glimpse of what it did not understand', () => {
    const long = 'k'.repeat(10_000);
    for (const value of [
      { ...ROLE, kind: long },
      { ...ROLE, [long]: 1 },
      { ...ROLE, apiVersion: long },
      { ...ROLE, metadata: { name: long, [long]: 1, labels: { [long]: 1 } } },
      { ...SECRET, stringData: { [long]: 'x' } },
    ])
      for (const line of said(value)) assert.ok(line.length < 300, line);
  });

  it('gives kinds, namespaces and names that run together different ids', () => {
    const ids = [uidOf('A', 'b', 'cd'), uidOf('A', 'bc', 'd'), uidOf('Ab', 'c', 'd'), uidOf('A', 'b', 'ce')];
    assert.equal(new Set(ids).size, ids.length);
  });

  for (const [value, expected] of [
    ['text', ': This is no object: a document begins with apiVersion, kind and metadata (Invalid)'],
    [{ ...ROLE, kind: 'APIRoll' }, 'kind: Unknown kind "APIRoll": did you mean "APIRole"? (Invalid)'],
    [
      { ...ROLE, kind: ['APIRole'] },
      'kind: Unknown kind "an object": known are APIPolicy, APIConsumer, APIRole, APIRoleBinding, HostGrant, APIBaseline, Namespace, Secret (Invalid)',
    ],
    [
      { ...ROLE, apiVersion: 'v1' },
      'apiVersion: APIRole has the apiVersion "postern.dev/v1alpha1", not "v1" (Invalid)',
    ],
    [{ ...ROLE, specs: {} }, 'specs: Unknown field "specs": did you mean "spec"? (UnknownField)'],
    [
      { ...ROLE, metadata: { name: 'Reader' } },
      'metadata.name: "Reader" is no name of an object: use lower-case letters, digits, "-" and ".", at most 253 (Invalid)',
    ],
    [
      { ...ROLE, metadata: { name: 'a..b' } },
      'metadata.name: "a..b" is no name of an object: use lower-case letters, digits, "-" and ".", at most 253 (Invalid)',
    ],
    [
      { ...ROLE, metadata: { name: 'r', namespace: 'a.b' } },
      'metadata.namespace: "a.b" is no namespace: use lower-case letters, digits and "-", at most 63 (Invalid)',
    ],
    [
      { ...ROLE, metadata: { name: 'r', lables: {} } },
      'metadata.lables: Unknown field "lables": did you mean "labels"? (UnknownField)',
    ],
    [
      { ...ROLE, metadata: { name: 'r', labels: { a: 1 } } },
      'metadata.labels.a: Must be text, not 1: quote it (Invalid)',
    ],
    [{ ...ROLE, metadata: undefined }, 'metadata: This field is required (Invalid)'],
    [{ ...ROLE, metadata: {} }, 'metadata.name: This field is required (Invalid)'],
    [{ ...ROLE, metadata: { name: null } }, 'metadata.name: This field is required (Invalid)'],
    [{ ...ROLE, metadata: 'r' }, 'metadata: Must be an object with a name (Invalid)'],
    [{ ...ROLE, spec: null }, 'spec: This field is required (Invalid)'],
    [{ ...SECRET, data: { k: 'not base64' } }, 'data.k: Must be base64; plain text stands in stringData (Invalid)'],
    [{ ...SECRET, data: { k: '%%%' } }, 'data.k: Must be base64; plain text stands in stringData (Invalid)'],
    [{ ...SECRET, data: { k: 123456 } }, 'data.k: Must be text: quote it (Invalid)'],
    [{ ...SECRET, stringData: { k: 123456 } }, 'stringData.k: Must be text: quote it (Invalid)'],
    [{ ...SECRET, stringData: { k: true } }, 'stringData.k: Must be text: quote it (Invalid)'],
    [{ ...SECRET, stringData: { k: null } }, 'stringData.k: Must be text: quote it (Invalid)'],
    [{ ...SECRET, stringData: { k: {} } }, 'stringData.k: Must be text: quote it (Invalid)'],
    [
      { ...SECRET, stringData: { 'a/b': 'x' } },
      'stringData.a/b: A data key has letters, digits, "-", "_" and ".", at most 253 (Invalid)',
    ],
    [{ ...SECRET, stringData: ['x'] }, 'stringData: Must be an object of texts (Invalid)'],
    [{ ...SECRET, stringData: { k: 'x'.repeat(1024 * 1024 + 1) } }, ': A Secret holds at most 1048576 bytes (Invalid)'],
    [{ ...SECRET, type: 1 }, 'type: Must be text, as in "postern.dev/credential" (Invalid)'],
    [
      { apiVersion: 'postern.dev/v1alpha1', kind: 'HostGrant', metadata: { name: 'g', namespace: 'shop' }, spec: {} },
      'metadata.namespace: HostGrant is of the cluster, not of a namespace: leave this out (Invalid)',
    ],
    [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a.b' } },
      'metadata.name: A namespace has lower-case letters, digits and "-", at most 63 (Invalid)',
    ],
    [{ ...SECRET, spec: {} }, 'spec: Unknown field "spec" (UnknownField)'],
  ] as const) {
    it(`says: ${expected.slice(0, 70)}`, () => assert.deepEqual(said(value), [expected]));
  }

  it('never repeats the values of a Secret', () => {
    const words = said({ ...SECRET, data: { k: 'c2VjcmV0!' }, stringData: { b: { c: 'hunter2' } } }).join('\n');
    assert.doesNotMatch(words, /c2VjcmV0|hunter2/);
  });
});
