import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProblemList } from '../../core/problem.ts';
import { apiConsumerSpec } from './api-consumer.ts';
import { apiPolicySpec } from './api-policy.ts';
import { apiRoleBindingSpec, apiRoleSpec } from './api-role.ts';
import { parseSpec } from './parse-spec.ts';

const DIGEST = 'f'.repeat(64);

function said(schema: Parameters<typeof parseSpec>[0], spec: unknown): string[] {
  const problems = new ProblemList();
  parseSpec(schema, spec, problems);
  return problems.problems.map(({ path, message, reason }) => `${path}: ${message} (${reason})`);
}

const policy = (spec: object): string[] => said(apiPolicySpec, { target: { hosts: ['a.example.org'] }, ...spec });

describe('parseSpec()', () => {
  it('fills in every default of a policy', () => {
    const problems = new ProblemList();
    assert.deepEqual(parseSpec(apiPolicySpec, { target: { hosts: ['a.example.org'] } }, problems), {
      className: 'postern',
      target: {
        hosts: ['a.example.org'],
        paths: ['/**'],
        pathOptions: { encodedSlash: 'Refuse', semicolon: 'Refuse', caseInsensitive: false },
      },
      mode: 'Enforce',
    });
    assert.deepEqual(problems.problems, []);
  });

  it('names the field that a misspelt one is nearest to, at every depth', () => {
    assert.deepEqual(policy({ authorisation: {} }), [
      'spec.authorisation: Unknown field "authorisation": did you mean "authorization"? (UnknownField)',
    ]);
    assert.deepEqual(policy({ authorization: { rules: [{ name: 'a', allow: { methods: ['GET'], whn: [] } }] } }), [
      'spec.authorization.rules[0].allow.whn: Unknown field "whn": did you mean "when"? (UnknownField)',
    ]);
    assert.deepEqual(said(apiConsumerSpec, { plan: 'gold' }), [
      'spec.plan: Unknown field "plan": known here are groups, keys (UnknownField)',
    ]);
  });

  it('refuses a route of another group, which route metadata cannot tell from the Gateway API route of its name', () => {
    assert.deepEqual(policy({ target: { routes: [{ group: 'other.example.org', name: 'orders' }] } }), [
      'spec.target.routes[0].group: Must be one of gateway.networking.k8s.io (Invalid)',
    ]);
  });

  it('takes the fields of a prototype for unknown ones', () => {
    assert.deepEqual(
      said(apiConsumerSpec, JSON.parse('{"__proto__": {"keys": []}, "constructor": 1}')).map((line) =>
        line.slice(0, 44),
      ),
      ['spec.__proto__: Unknown field "__proto__": k', 'spec.constructor: Unknown field "constructor'],
    );
  });

  it('says which type is wanted, which was found and what to do', () => {
    assert.deepEqual(
      policy({ target: { hosts: [1] }, mode: 'audit', transport: { requireTLS: 'yes', hsts: { maxAge: '1d' } } }),
      [
        'spec.target.hosts[0]: Must be text, not a whole number: quote it (Invalid)',
        'spec.mode: Must be one of Enforce, Audit: did you mean "Audit"? (Invalid)',
        'spec.transport.requireTLS: Must be true or false, not text (Invalid)',
        'spec.transport.hsts.maxAge: "1d" is not a duration: write days as hours, "24h" (Invalid)',
      ],
    );
    assert.deepEqual(said(apiPolicySpec, {}), ['spec.target: This field is required (Invalid)']);
    assert.deepEqual(said(apiPolicySpec, []), ['spec: Must be an object, not a list (Invalid)']);
    assert.deepEqual(policy({ auditLog: { allows: { percent: 101 } } }), [
      'spec.auditLog.allows.percent: Must be at most 100 (Invalid)',
    ]);
    assert.deepEqual(policy({ authorization: { rules: [{ name: 'a', allow: { when: null } }] } }), [
      'spec.authorization.rules[0].allow.when: Must be a list, not nothing (Invalid)',
    ]);
  });

  it('says one thing of a text whose form and length are wrong', () => {
    const digest = 'Must be 64 lower-case hexadecimal digits; "postern keys new" makes a key and its digest (Invalid)';
    for (const sha256 of ['3b1c', 'F'.repeat(64), 'f'.repeat(65)])
      assert.deepEqual(said(apiConsumerSpec, { keys: [{ name: 'k1', sha256 }] }), [`spec.keys[0].sha256: ${digest}`]);
    assert.deepEqual(said(apiConsumerSpec, { keys: [{ name: 'k'.repeat(64), sha256: DIGEST }] }), [
      'spec.keys[0].name: Must have at most 63 characters (Invalid)',
    ]);
  });

  it('shows how a reference is written that is only a name', () => {
    assert.deepEqual(
      said(apiRoleBindingSpec, { roleRef: 'reader', subjects: [{ consumer: 'acme' }, { claim: 'a' }] }),
      [
        'spec.roleRef: Must be an object, not text: write {name: reader} (Invalid)',
        'spec.subjects[0].consumer: Must be an object, not text: write {name: acme} (Invalid)',
        'spec.subjects[1].claim: Must be an object, not text (Invalid)',
      ],
    );
    assert.deepEqual(said(apiRoleSpec, { inherits: [['a']], permissions: [{ name: 'a', policyRefs: ['orders'] }] }), [
      'spec.inherits[0]: Must be an object, not a list (Invalid)',
      'spec.permissions[0].policyRefs[0]: Must be an object, not text: write {name: orders} (Invalid)',
    ]);
  });

  it('refuses a target that is none or two', () => {
    const message = 'Exactly one of hosts, routes or workloadSelector must be set (Invalid)';
    assert.deepEqual(policy({ target: {} }), [`spec.target: ${message}`]);
    assert.deepEqual(policy({ target: { hosts: ['a.example.org'], routes: [{ name: 'a' }] } }), [
      `spec.target: ${message}`,
    ]);
  });

  it('refuses a selector without labels: it would select every Pod', () => {
    assert.deepEqual(policy({ target: { workloadSelector: { matchLabels: {} } } }), [
      'spec.target.workloadSelector.matchLabels: At least one label must be given (Invalid)',
    ]);
  });

  it('refuses two items of one name: the later one would be lost', () => {
    const rule = { name: 'a', deny: { methods: ['GET'] } };
    assert.deepEqual(policy({ authorization: { rules: [rule, { name: 'b', allow: { any: {} } }, rule] } }), [
      'spec.authorization.rules[2].name: The name "a" is taken by an item before this one (DuplicateName)',
    ]);
  });

  it('refuses two rates of one window, and windows out of bounds, however they are written', () => {
    const limit = (...rates: object[]): string[] =>
      policy({ rateLimits: [{ name: 'a', stage: 'AfterAuthentication', rates }] });
    const same = [
      'spec.rateLimits[0].rates: Two rates of one limit have the same window: keep the smaller one (Invalid)',
    ];
    const rate = (window: string): object => ({ requests: 1, window });
    const edge = (timeZone?: string): object => ({ requests: 1, calendar: { unit: 'Day', timeZone } });
    assert.deepEqual(limit(rate('60s'), rate('1m')), same);
    assert.deepEqual(limit(edge(), edge('UTC')), same);
    assert.deepEqual(limit(rate('60s'), rate('61s'), edge(), edge('Europe/Berlin')), []);
    for (const window of ['9ms', '0h', '8784h1ms'])
      assert.deepEqual(limit(rate(window)), [
        'spec.rateLimits[0].rates[0].window: Must be from 10ms to 8784h (366 days) (Invalid)',
      ]);
    assert.deepEqual(limit(rate('10ms'), rate('8784h')), []);
  });

  it('refuses path templates whose star is not "**" at the end', () => {
    const paths = (path: string): string[] => policy({ target: { hosts: ['a.example.org'], paths: [path] } });
    const words = 'Must begin with "/", with "{name}" for one segment and "**" only last, as in "/v1/orders/{id}/**"';
    for (const path of ['v1', '/v1/*', '/v1**', '/**/v1', '/*/**'])
      assert.deepEqual(paths(path), [`spec.target.paths[0]: ${words} (InvalidPath)`], path);
    for (const path of ['/', '/**', '/v1/{id}/**', '/v1/']) assert.deepEqual(paths(path), [], path);
  });

  it('refuses keys that end before they begin', () => {
    const times = { notBefore: '2027-01-02T00:00:00Z', notAfter: '2027-01-02T01:00:00+02:00' };
    assert.deepEqual(said(apiConsumerSpec, { keys: [{ name: 'a', sha256: DIGEST, ...times }] }), [
      'spec.keys[0]: The key would end before it begins: notAfter must be later than notBefore (Invalid)',
    ]);
  });

  for (const text of ['2027-02-29T00:00:00Z', '2027-01-01', '2027-01-01T00:00:00', '2027-01-01T24:00:00Z', 'soon']) {
    it(`refuses the time "${text}"`, () => {
      assert.equal(said(apiConsumerSpec, { keys: [{ name: 'a', sha256: DIGEST, notAfter: text }] }).length > 0, true);
    });
  }

  it('takes a leap day and an offset', () => {
    const times = { notBefore: '2028-02-29T00:00:00Z', notAfter: '2028-02-29T23:59:59.5-12:00' };
    assert.deepEqual(said(apiConsumerSpec, { keys: [{ name: 'a', sha256: DIGEST, ...times }] }), []);
  });

  it('refuses SPIFFE ids that no certificate carries', () => {
    for (const id of ['spiffe://', 'spiffe://a', 'spiffe://a/', 'spiffe://A/b', 'spiffe://a//b', 'https://a/b']) {
      assert.equal(
        said(apiRoleBindingSpec, { roleRef: { name: 'r' }, subjects: [{ spiffe: { id } }] }).length > 0,
        true,
        id,
      );
    }
  });

  it('stops counting mistakes where nobody would read on', () => {
    const keys = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]));
    assert.equal(said(apiConsumerSpec, keys).length, 64);
  });
});
