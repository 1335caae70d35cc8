import { binding, consumer, role, times, type WrongShape } from './wrong-shape.ts';

const DIGEST = 'f'.repeat(64);
const EMPTY_DIGEST = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const keys = (...more: object[]): object => ({ keys: more });
const key = (more: object): object => keys({ name: 'a', sha256: DIGEST, ...more });
const permission = (more: object): object => ({ permissions: [{ name: 'a', ...more }] });
const subject = (...more: object[]): object => ({ roleRef: { name: 'r' }, subjects: more });

const KEY = 'spec.keys[0]';
const TIME = 'must be a time of a day that exists, as in "2027-11-01T00:00:00Z"';
const HEX = 'must be 64 lower-case hexadecimal digits; "postern keys new" makes a key and its digest';
const ONE_SUBJECT =
  'spec.subjects[0]: Invalid value: exactly one of consumer, consumerGroup, claim, spiffe or serviceAccount must be set';
const ONE_POLICY = 'spec.permissions[0]: Invalid value: exactly one of policyRefs or allPolicies must be set';

export const WRONG_IDENTITIES: readonly WrongShape[] = [
  consumer(
    'an upper-case digest',
    key({ sha256: DIGEST.toUpperCase() }),
    `${KEY}.sha256: Invalid value: "${DIGEST.toUpperCase()}": ${HEX}`,
  ),
  consumer(
    'half a digest',
    key({ sha256: 'f'.repeat(32) }),
    `${KEY}.sha256: Invalid value: "${'f'.repeat(32)}": ${HEX}`,
  ),
  consumer(
    'the digest of nothing',
    key({ sha256: EMPTY_DIGEST }),
    `${KEY}.sha256: Invalid value: "${EMPTY_DIGEST}": must not be the digest of the empty text`,
    {
      isLater: true,
    },
  ),
  consumer(
    'a key of nothing',
    keys({ name: 'a' }),
    `${KEY}: Invalid value: exactly one of sha256 or secretRef must be set`,
  ),
  consumer(
    'a key of two things',
    key({ secretRef: { name: 'a', key: 'b' } }),
    `${KEY}: Invalid value: exactly one of sha256 or secretRef`,
  ),
  consumer(
    'a Secret without its key',
    keys({ name: 'a', secretRef: { name: 'a' } }),
    `${KEY}.secretRef.key: Required value`,
  ),
  consumer(
    'no data key',
    keys({ name: 'a', secretRef: { name: 'a', key: 'a/b' } }),
    `${KEY}.secretRef.key: Invalid value: "a/b": must be a data key of a Secret`,
  ),
  consumer('a time in words', key({ notAfter: 'soon' }), `${KEY}.notAfter: Invalid value: "soon": ${TIME}`),
  consumer(
    'a time without its offset',
    key({ notAfter: '2027-01-01T00:00:00' }),
    `${KEY}.notAfter: Invalid value: "2027-01-01T00:00:00": ${TIME}`,
  ),
  consumer(
    'the 29th of a February',
    key({ notBefore: '2100-02-29T00:00:00Z' }),
    `${KEY}.notBefore: Invalid value: "2100-02-29T00:00:00Z": ${TIME}`,
  ),
  consumer(
    'an end before the beginning',
    key({ notBefore: '2027-01-02T00:00:00Z', notAfter: '2027-01-02T01:00:00+02:00' }),
    `${KEY}: Invalid value: the key would end before it begins: notAfter must be later than notBefore`,
  ),
  consumer(
    'a number for a time',
    key({ notAfter: 20270101 }),
    `${KEY}.notAfter in body must be of type string: "integer"`,
    { typed: '.spec.keys[name="a"].notAfter: expected string, got' },
  ),
  consumer(
    'keys of one name',
    keys({ name: 'a', sha256: DIGEST }, { name: 'a', sha256: DIGEST }),
    'spec.keys[1]: Duplicate value: {"name":"a"}',
    {
      typed: '.spec.keys: duplicate entries for key [name="a"]',
    },
  ),
  consumer(
    'many keys',
    keys(...times(17, (i) => ({ name: `k${i}`, sha256: DIGEST }))),
    'spec.keys: Too many: 17: must have at most 16',
  ),
  consumer('an empty group', { groups: [''] }, 'spec.groups[0] in body should be at least 1 chars long'),
  role('text for a reference', { inherits: ['a'] }, 'spec.inherits[0] in body must be of type object: "string"', {
    typed: '.spec.inherits[0]: expected map, got',
  }),
  role('an empty reference', { inherits: [{}] }, 'spec.inherits[0].name: Required value'),
  role(
    'no name of an object',
    { inherits: [{ name: 'A b' }] },
    'spec.inherits[0].name: Invalid value: "A b": must be the name of a Kubernetes object',
  ),
  role('a permission for nothing', permission({}), ONE_POLICY),
  role('a permission both ways', permission({ allPolicies: {}, policyRefs: [{ name: 'a' }] }), ONE_POLICY),
  role(
    'true for an object',
    permission({ allPolicies: true }),
    'spec.permissions[0].allPolicies in body must be of type object: "boolean"',
    { typed: '.spec.permissions[name="a"].allPolicies: expected map, got' },
  ),
  role(
    'no paths',
    permission({ allPolicies: {}, paths: [] }),
    'spec.permissions[0].paths in body should have at least 1 items',
  ),
  binding('no role', { subjects: [{ consumer: { name: 'a' } }] }, 'spec.roleRef: Required value'),
  binding('no subjects', subject(), 'spec.subjects in body should have at least 1 items'),
  binding('an empty subject', subject({}), ONE_SUBJECT),
  binding('two subjects in one', subject({ consumer: { name: 'a' }, consumerGroup: { name: 'a' } }), ONE_SUBJECT),
  binding(
    'a claim of any issuer',
    subject({ claim: { path: ['a'], value: 'a' } }),
    'spec.subjects[0].claim.issuer: Required value',
  ),
  binding(
    'a claim without a path',
    subject({ claim: { issuer: 'a', path: [], value: 'a' } }),
    'spec.subjects[0].claim.path in body should have at least 1 items',
  ),
  binding(
    'a trust domain alone',
    subject({ spiffe: { id: 'spiffe://a' } }),
    'spec.subjects[0].spiffe.id: Invalid value: "spiffe://a": must be a SPIFFE id, as in "spiffe://cluster.local/ns/web/sa/front"',
  ),
  binding(
    'a dotted namespace',
    subject({ serviceAccount: { namespace: 'a.b', name: 'c' } }),
    'spec.subjects[0].serviceAccount.namespace: Invalid value: "a.b": must be lower-case letters, digits and "-"',
  ),
  binding(
    'another role',
    { roleRef: { name: 's' }, subjects: [{ consumer: { name: 'a' } }] },
    'spec.roleRef: Invalid value: roleRef is immutable: make a new object, then delete this one',
    {
      before: subject({ consumer: { name: 'a' } }),
    },
  ),
];
