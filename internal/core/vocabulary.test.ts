import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REPEATED } from './attribute-readers.ts';
import { anEvaluation } from './evaluation.fixture.ts';
import type { Evaluation } from './evaluation.ts';
import { ExpressionError } from './expression-error.ts';
import { type MapAttribute, VOCABULARY } from './vocabulary.ts';

const read = (name: string, evaluation: Evaluation): unknown => {
  const attribute = VOCABULARY[name];
  assert.ok(attribute !== undefined && 'read' in attribute, name);
  return attribute.read(evaluation);
};

const mapOf = (name: string): MapAttribute => {
  const attribute = VOCABULARY[name];
  assert.ok(attribute !== undefined && 'lookup' in attribute, name);
  return attribute;
};

const lookup = (name: string, key: string, evaluation: Evaluation): unknown => mapOf(name).lookup(evaluation, key);

const NOBODY = anEvaluation({
  request: { source: { address: '', principal: '', certificate: '' }, client: { address: null, network: null } },
});

const CALLER = anEvaluation({
  request: {
    method: 'PATCH',
    source: { address: '192.0.2.9', principal: 'spiffe://cluster.local/ns/web/sa/front', certificate: '' },
    metadata: () => ({ 'envoy.filters.http.jwt_authn': { sub: 'x' } }),
  },
  headers: [
    ['X-Tenant', 'acme'],
    ['x-tags', 'a'],
    ['x-tags', 'b'],
  ],
  query: { page: ['2'], tag: ['a', 'b'] },
  body: '{"amount":5}',
  params: { id: 'a/b' },
  context: { team: 'shop' },
  identity: {
    kind: 'jwt',
    issuer: 'https://sso.example.org',
    subject: 'u-1',
    id: 'AAAAAAAAAAAAAAAAAAAAAA',
    method: 'staff',
    groups: ['g'],
    scopes: ['read'],
    claims: { level: 3, nothing: null },
    consumer: 'acme',
    authTimeMs: 1_780_000_000_000,
  },
  roles: ['order-reader'],
});

/** Name, type, the contract's word for absence, what the caller's request gives. Maps have their own tests. */
const SCALARS: readonly (readonly [string, string, string, unknown, unknown])[] = [
  ['request.id', 'string', 'never', '4711', '4711'],
  ['request.method', 'string', 'never', 'PATCH', 'GET'],
  ['request.scheme', 'string', 'never', 'https', 'https'],
  ['request.host', 'string', 'never', 'api.example.org', 'api.example.org'],
  ['request.path', 'string', 'never', '/v1/orders', '/v1/orders'],
  ['request.body', 'dyn', 'error', { amount: 5 }, new ExpressionError('the body was not forwarded')],
  ['request.size', 'int', 'error', 12, new ExpressionError('the body was not forwarded')],
  ['request.time', 'timestamp', 'never', Date.UTC(2026, 5, 1, 3, 30), Date.UTC(2026, 5, 1, 3, 30)],
  ['client.address', 'string', 'null in keys, error in conditions', '192.0.2.7', null],
  ['client.network', 'string', 'null in keys, error in conditions', '192.0.2.7/32', null],
  ['source.address', 'string', 'null', '192.0.2.9', null],
  ['source.principal', 'string', 'null', 'spiffe://cluster.local/ns/web/sa/front', null],
  ['identity.kind', 'string', 'null', 'jwt', 'anonymous'],
  ['identity.issuer', 'string', 'null', 'https://sso.example.org', null],
  ['identity.subject', 'string', 'null', 'u-1', null],
  ['identity.id', 'string', 'null', 'AAAAAAAAAAAAAAAAAAAAAA', null],
  ['identity.method', 'string', 'null', 'staff', null],
  ['identity.groups', 'list(string)', 'empty list', ['g'], []],
  ['identity.roles', 'list(string)', 'empty list', ['order-reader'], []],
  ['identity.scopes', 'list(string)', 'empty list', ['read'], []],
  ['identity.consumer', 'string', 'null', 'acme', null],
  ['identity.authTime', 'timestamp', 'null', 1_780_000_000_000, null],
];

/** Name, type, absence, a key that is there with its value, what a key gives that is not. */
const MAPS: readonly (readonly [string, string, string, readonly [string, unknown], unknown])[] = [
  ['request.params', 'map(string, string)', 'refused at compile', ['id', 'a/b'], null],
  ['request.query', 'map(string, string)', 'null', ['page', '2'], null],
  ['request.queryValues', 'map(string, list(string))', 'empty list', ['tag', ['a', 'b']], []],
  ['request.headers', 'map(string, string)', 'null', ['x-tenant', 'acme'], null],
  ['request.headerValues', 'map(string, list(string))', 'empty list', ['x-tags', ['a', 'b']], []],
  ['identity.claims', 'map(string, dyn)', 'null on a missing key', ['level', 3], null],
  ['context', 'map(string, dyn)', 'null on a missing key', ['team', 'shop'], null],
  ['metadata', 'map(string, dyn)', 'null on a missing key', ['envoy.filters.http.jwt_authn', { sub: 'x' }], null],
];

describe('VOCABULARY', () => {
  it('holds the rows of the contract and no others', () => {
    assert.deepEqual(Object.keys(VOCABULARY).sort(), [...SCALARS, ...MAPS].map(([name]) => name).sort());
  });

  for (const [name, type, absent, present, missing] of SCALARS) {
    it(`${name} is a ${type}; absent: ${absent}`, () => {
      assert.deepEqual([VOCABULARY[name]?.type, VOCABULARY[name]?.absent], [type, absent]);
      assert.deepEqual(read(name, CALLER), present);
      assert.deepEqual(read(name, NOBODY), missing);
    });
  }

  for (const [name, type, absent, [key, value], missing] of MAPS) {
    it(`${name} is a ${type}; absent: ${absent}`, () => {
      assert.deepEqual([mapOf(name).type, mapOf(name).absent], [type, absent]);
      assert.deepEqual([lookup(name, key, CALLER), mapOf(name).has(CALLER, key)], [value, true]);
      const keys = mapOf(name).keys(CALLER);
      assert.ok(Array.isArray(keys) && keys.includes(key));
      assert.deepEqual([lookup(name, 'no-such-key', CALLER), mapOf(name).has(CALLER, 'no-such-key')], [missing, false]);
      assert.deepEqual([lookup(name, '__proto__', CALLER), mapOf(name).has(CALLER, 'constructor')], [missing, false]);
    });
  }
});

describe('request.path and request.params', () => {
  const kept = ['v1', 'a/b;x'];
  const split = ['v1', 'a', 'b'];
  const severalReadings = () =>
    anEvaluation({
      request: {
        path: '/v1/a%2Fb;x',
        readings: { kept, others: [['v1', 'a/b'], split], hasEncodedSlash: true, hasSemicolon: true },
      },
      params: { area: 'v1', id: 'a/b;x', rest: 'x' },
      otherParams: [
        { area: 'v1', id: 'a/b', rest: 'x' },
        { area: 'v1', id: 'a' },
      ],
    });
  const several = new ExpressionError('the path can be read in several ways');

  it('err outside of rules where the readings of the path differ', () => {
    const evaluation = severalReadings();
    assert.deepEqual(read('request.path', evaluation), several);
    assert.deepEqual(lookup('request.params', 'id', evaluation), several);
    assert.deepEqual(lookup('request.params', 'rest', evaluation), several);
    assert.equal(lookup('request.params', 'area', evaluation), 'v1');
    assert.deepEqual(mapOf('request.params').keys(evaluation), ['area', 'id']);
    assert.equal(mapOf('request.params').has(evaluation, 'rest'), false);
  });

  it('are those of the reading that a rule is judged by, until the rule is done', () => {
    const evaluation = severalReadings();
    evaluation.readAs(split, evaluation.targetParamsBy(split));
    assert.equal(read('request.path', evaluation), '/v1/a/b');
    assert.equal(lookup('request.params', 'id', evaluation), 'a');
    evaluation.readAs(kept, evaluation.targetParamsBy(kept));
    assert.equal(read('request.path', evaluation), '/v1/a%2Fb;x');
    assert.equal(lookup('request.params', 'rest', evaluation), 'x');
    evaluation.readAsTarget();
    assert.deepEqual(read('request.path', evaluation), several);
  });

  it('are not guessed for a reading that nobody matched', () => {
    assert.throws(() => severalReadings().targetParamsBy(['v1']), /A reading of the path has no parameters/);
  });
});

describe('request.headers', () => {
  it('errs on a repeated field, and where Envoy joined the lines also on a comma', () => {
    const apart = anEvaluation({
      headers: [
        ['x-role', 'user'],
        ['x-role', 'admin'],
      ],
    });
    const joined = anEvaluation({
      headers: [
        ['x-role', 'user,admin'],
        ['x-one', 'a'],
      ],
      headersAreJoined: true,
    });
    const oneLine = anEvaluation({ headers: [['x-role', 'user,admin']] });
    assert.deepEqual(lookup('request.headers', 'x-role', apart), REPEATED);
    assert.deepEqual(lookup('request.headers', 'x-role', joined), REPEATED);
    assert.equal(lookup('request.headers', 'x-one', joined), 'a');
    assert.equal(lookup('request.headers', 'x-role', oneLine), 'user,admin');
    assert.deepEqual(lookup('request.headerValues', 'x-role', joined), ['user', 'admin']);
  });

  it('takes commas as they are in fields whose values hold them', () => {
    const date = 'Mon, 01 Jun 2026 03:30:00 GMT';
    const headers = [
      ['accept', 'text/html, application/json'],
      ['if-modified-since', date],
    ] as const;
    const evaluation = anEvaluation({ headers, headersAreJoined: true });
    assert.equal(lookup('request.headers', 'accept', evaluation), 'text/html, application/json');
    assert.equal(lookup('request.headers', 'if-modified-since', evaluation), date);
  });

  it('errs on a comma in a field that Envoy joins although it sends lines: a second line must not hide the first', () => {
    const evaluation = anEvaluation({
      headers: [
        ['origin', 'https://evil.test,x'],
        ['x-role', 'user,admin'],
      ],
    });
    assert.deepEqual(lookup('request.headers', 'origin', evaluation), REPEATED);
    assert.deepEqual(lookup('request.headerValues', 'origin', evaluation), ['https://evil.test', 'x']);
    assert.equal(lookup('request.headers', 'x-role', evaluation), 'user,admin');
  });

  it('does not hide a member of a joined list behind white space', () => {
    const evaluation = anEvaluation({ headers: [['x-role', 'user, \tadmin ']], headersAreJoined: true });
    assert.deepEqual(lookup('request.headerValues', 'x-role', evaluation), ['user', 'admin']);
  });

  it('is split once a check, however often it is read: each reading was a new split', () => {
    const evaluation = anEvaluation({ headers: [['x-role', 'a,b,'.repeat(60)]], headersAreJoined: true });
    const first = lookup('request.headerValues', 'x-role', evaluation);
    assert.strictEqual(lookup('request.headerValues', 'x-role', evaluation), first);
    assert.deepEqual(lookup('request.headers', 'x-role', evaluation), REPEATED);
  });

  it('errs on a header of more than 256 values, joined or apart', () => {
    const tooMany = new ExpressionError('a header holds more than 256 values');
    const joined = anEvaluation({ headers: [['x-role', ','.repeat(50_000)]], headersAreJoined: true });
    const apart = anEvaluation({ headers: Array.from({ length: 257 }, () => ['x-role', 'a'] as const) });
    for (const evaluation of [joined, apart]) {
      assert.deepEqual(lookup('request.headers', 'x-role', evaluation), tooMany);
      assert.deepEqual(lookup('request.headerValues', 'x-role', evaluation), tooMany);
    }
    const most = anEvaluation({ headers: [['x-role', ','.repeat(255)]], headersAreJoined: true });
    assert.equal((lookup('request.headerValues', 'x-role', most) as readonly string[]).length, 256);
  });

  it('charges each reading by the length of what is read', () => {
    const costOf = (length: number): number => {
      const evaluation = anEvaluation({ headers: [['x-a', 'a'.repeat(length)]], headersAreJoined: true });
      const before = evaluation.work;
      lookup('request.headers', 'x-a', evaluation);
      return before - evaluation.work;
    };
    assert.ok(costOf(60_000) > 1_000);
    assert.ok(costOf(20) < 5);
  });

  it('errs on bytes that are not UTF-8', () => {
    const evaluation = anEvaluation({ headers: [['x-role', 'admin\udcff']] });
    assert.deepEqual(lookup('request.headers', 'x-role', evaluation), new ExpressionError('the value is not UTF-8'));
    assert.deepEqual(
      lookup('request.headerValues', 'x-role', evaluation),
      new ExpressionError('the value is not UTF-8'),
    );
  });

  it('never shows the path before it was made canonical', () => {
    const { keyProblem, keys } = mapOf('request.headers');
    assert.match(keyProblem?.(':path') ?? '', /read request.method, request.host or request.path/);
    assert.deepEqual(
      keys(
        anEvaluation({
          headers: [
            [':path', '/public/../admin'],
            ['x-a', '1'],
          ],
        }),
      ),
      ['x-a'],
    );
  });

  it('says that a name in upper case never matches', () => {
    assert.equal(mapOf('request.headers').keyProblem?.('X-Role'), 'Names of headers are in lower case: write "x-role"');
    assert.equal(mapOf('request.headers').keyProblem?.('x-role'), undefined);
  });
});

describe('request.query', () => {
  it('errs on a repeated parameter', () => {
    assert.deepEqual(lookup('request.query', 'tag', CALLER), REPEATED);
  });
});

describe('request.body', () => {
  it('errs on what was not forwarded, was cut, or has more than one reading', () => {
    const cases: readonly (readonly [Parameters<typeof anEvaluation>[0], string])[] = [
      [{ body: { state: 'none' } }, 'the request has no body: ask request.size > 0 or request.method first'],
      [{ body: { state: 'unknown' } }, 'the body was not forwarded'],
      [{ body: { state: 'cut' } }, 'the body was cut'],
      [{ body: '{"role":"user","role":"admin"}' }, 'the JSON repeats a member'],
      [{ body: 'role=admin' }, 'the text is not JSON'],
    ];
    for (const [given, why] of cases) {
      assert.deepEqual(read('request.body', anEvaluation(given)), new ExpressionError(why));
    }
  });

  it('is parsed once a check', () => {
    const evaluation = anEvaluation({ body: '{"a":[1]}' });
    assert.strictEqual(read('request.body', evaluation), read('request.body', evaluation));
  });

  it('has the size 0 where there is known to be none', () => {
    assert.equal(read('request.size', anEvaluation({ body: { state: 'none' } })), 0);
    assert.deepEqual(
      read('request.size', anEvaluation({ body: { state: 'cut' } })),
      new ExpressionError('the body was cut'),
    );
  });
});
