import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { ProblemList } from '../../core/problem.ts';
import { MAX_EXPRESSION_TEXT } from '../expression-size.ts';
import { PORTS } from '../policy-ports.fixture.ts';
import { Workload } from '../workload.ts';
import { compileBaseline } from './compile-baseline.ts';

/** What is wrong with a baseline, each with its path; nothing where it may be accepted. */
function wrongWith(spec: object, ports = PORTS): readonly string[] {
  const problems = new ProblemList();
  inOneGo(compileBaseline({ namespaceSelector: {}, ...spec }, { name: 'platform', ports }, problems));
  return problems.problems
    .filter(({ severity }) => severity === 'error')
    .map(({ path, message }) => `${path}: ${message}`);
}

const overrides = (more: object): object => ({ overrides: more });
const deny = (criteria: object): object => overrides({ authorization: { rules: [{ name: 'r', deny: criteria }] } });
const when = (expression: string): object => deny({ when: [{ expression }] });
const limit = (more: object): object =>
  overrides({
    rateLimits: [{ name: 'l', stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }], ...more }],
  });
const DENY = 'spec.overrides.authorization.rules[0].deny';
const LIMIT = 'spec.overrides.rateLimits[0]';
const OF_REQUEST = 'read what the request or its caller says';

describe('compileBaseline()', () => {
  it('takes what every policy means alike', () => {
    for (const spec of [
      deny({ any: {} }),
      deny({ methods: ['TRACE'], paths: ['/a/{id}'], scopes: ['admin'], cidrs: ['10.0.0.0/8'] }),
      deny({ paths: ['/a/{id}'], when: [{ expression: "request.params.id == 'x'" }] }),
      when("identity.kind == 'jwt' && identity.claims.role == 'admin'"),
      limit({ key: [{ expression: 'identity.id' }], cost: { expression: '1' } }),
      overrides({ require: { tls: {}, authentication: { publicPathsWithin: ['/healthz'] } } }),
    ])
      assert.deepEqual(wrongWith(spec), []);
  });

  for (const [name, why] of [
    ['context', `context extensions are written by owners of routes: ${OF_REQUEST}`],
    ['metadata', `metadata is written by filters that owners of routes may set: ${OF_REQUEST}`],
  ] as const) {
    it(`lets no override read ${name}, by whatever way, which those whom it holds write`, () => {
      const says = `An override cannot read ${name}: ${why}`;
      const reads = [`${name}.a == 'x'`, `'a' in ${name}`, `has(${name}.a)`, `${name}.all(k, k != 'x')`];
      for (const expression of reads)
        assert.deepEqual(wrongWith(when(expression)), [`${DENY}.when[0].expression: ${says}`]);
      assert.deepEqual(wrongWith(limit({ key: [{ expression: `string(${name}.a)` }] })), [
        `${LIMIT}.key[0].expression: ${says}`,
      ]);
      assert.deepEqual(wrongWith(limit({ cost: { expression: `${name}.a == 'x' ? 1 : 0` } })), [
        `${LIMIT}.cost.expression: ${says}`,
      ]);
    });
  }

  it('warns where a deny hangs on what authors of policies can say by keys of their own', () => {
    for (const name of ['issuer', 'subject', 'id', 'consumer', 'claims', 'scopes']) {
      const problems = new ProblemList();
      const read =
        name === 'scopes' ? `'a' in identity.scopes` : name === 'claims' ? 'identity.claims.a' : `identity.${name}`;
      const spec = { namespaceSelector: {}, ...when(name === 'scopes' ? read : `${read} != 'a'`) };
      inOneGo(compileBaseline(spec, { name: 'platform', ports: PORTS }, problems));
      assert.deepEqual(
        problems.problems.map(({ path, message, severity }) => [
          path,
          message.slice(0, message.indexOf(' ')),
          severity,
        ]),
        [[`${DENY}.when`, `identity.${name}`, 'warning']],
      );
    }
  });

  it('lets none read words that a namespace or a policy chooses', () => {
    for (const name of ['roles', 'groups'])
      assert.match(wrongWith(when(`'a' in identity.${name}`)).join(), new RegExp(`cannot read identity.${name}: `));
    assert.match(wrongWith(when("identity.method == 'sso'")).join(), /cannot read identity\.method: methods are named/);
    for (const name of ['roles', 'groups', 'via'])
      assert.match(wrongWith(deny({ [name]: ['a'] })).join(), new RegExp(`deny.${name}: Unknown field "${name}"`));
  });

  it('lets none read parameters that are of a policy, nor be in Audit', () => {
    assert.match(wrongWith(when("request.params.id == 'x'")).join(), /they share none/);
    assert.match(wrongWith(limit({ key: [{ expression: 'request.params.id' }] })).join(), /they share none/);
    assert.match(
      wrongWith(limit({ mode: 'Audit' })).join(),
      /^spec\.overrides\.rateLimits\[0\]\.mode: Unknown field "mode"/,
    );
    const rule = { name: 'r', mode: 'Audit', deny: { any: {} } };
    assert.match(
      wrongWith(overrides({ authorization: { rules: [rule] } })).join(),
      /rules\[0\]\.mode: Unknown field "mode"/,
    );
    const allow = overrides({ authorization: { rules: [{ name: 'r', allow: { any: {} } }] } });
    assert.match(wrongWith(allow).join(), /rules\[0\]\.allow: Unknown field "allow"/);
  });

  it('says of paths in capitals that they are compared in lower case', () => {
    assert.match(wrongWith(when("request.path == '/Admin'")).join(), /write "\/admin"/);
  });

  it('finds what is wrong with a default at the baseline', () => {
    const response = { upstreamHeaders: [{ name: 'host', value: { expression: 'identity.id' } }] };
    assert.deepEqual(wrongWith({ defaults: { response } }), [
      'spec.defaults.response.upstreamHeaders[0].name: "host" is not a policy\'s to set: use a name of your own',
    ]);
    const methods = [
      { name: 'a', apiKey: {} },
      { name: 'b', apiKey: {} },
    ];
    assert.match(
      wrongWith({ defaults: { authentication: { methods } } }).join(),
      /^spec\.defaults\.authentication\.methods\[1\]: "a" and "b" both read/,
    );
    for (const section of ['authorization', 'public', 'mode', 'target'])
      assert.match(wrongWith({ defaults: { transport: {}, [section]: {} } }).join(), /Unknown field/);
  });

  it('takes defaults in a sidecar class too, a sidecar or the one that writes its status, and what is wrong is found', () => {
    const response = { upstreamHeaders: [{ name: 'host', value: { expression: 'identity.id' } }] };
    for (const workload of [new Workload(), new Workload(new Map([['app', 'orders']]))]) {
      const ports = { ...PORTS, workload };
      assert.deepEqual(wrongWith({ defaults: { transport: { requireTLS: true } }, ...deny({ any: {} }) }, ports), []);
      assert.match(wrongWith({ defaults: { response } }, ports).join(), /^spec\.defaults\.response\.[^,]*$/);
    }
  });

  it('bounds what overrides take to compile', () => {
    const long = Array.from({ length: 40 }, (_, i) => ({
      name: `r${i}`,
      deny: { when: [{ expression: `request.method == '${'x'.repeat(1900)}'` }] },
    }));
    assert.match(
      wrongWith(overrides({ authorization: { rules: long } })).join(),
      new RegExp(
        `^spec.overrides: The expressions of the overrides have .* at most ${MAX_EXPRESSION_TEXT} are allowed: shorten them, or make two baselines$`,
      ),
    );
  });
});
