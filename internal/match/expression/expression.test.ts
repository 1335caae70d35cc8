import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerFields } from '../../core/attributes.ts';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation, type Given } from '../../core/evaluation.fixture.ts';
import { ExpressionError } from '../../core/expression-error.ts';
import { MAX_WORK } from '../../core/meter.ts';
import { ProblemList } from '../../core/problem.ts';
import { compileExpression, type Expression, type ExpressionUse, isTrue } from './expression.ts';
import type { Result } from './value.ts';

const ANY: ExpressionUse = { result: 'any', params: ['id'], use: 'condition' };

function compiled(source: string, use: Partial<ExpressionUse> = {}): Expression {
  const problems = new ProblemList();
  const expression = inOneGo(compileExpression(source, { ...ANY, ...use }, problems));
  assert.deepEqual(problems.problems, [], source);
  assert.ok(expression !== undefined);
  return expression;
}

function refusal(source: string, use: Partial<ExpressionUse> = {}): string {
  const problems = new ProblemList('spec.rule');
  assert.equal(inOneGo(compileExpression(source, { ...ANY, ...use }, problems)), undefined, source);
  const [problem] = problems.problems;
  assert.equal(problem?.reason, 'InvalidExpression');
  assert.equal(problems.problems.length, 1);
  return problem.message;
}

const value = (source: string, given: Given = {}, use: Partial<ExpressionUse> = {}): Result =>
  compiled(source, use).evaluate(anEvaluation(given));

const failed = (message: string): ExpressionError => new ExpressionError(message);

describe('compileExpression()', () => {
  it('evaluates the conditions that the contract shows', () => {
    const given: Given = {
      params: { id: '17' },
      identity: { issuer: 'https://sso.example.org/realms/shop', subject: '17' },
    };
    const ownData = "identity.issuer != 'https://sso.example.org/realms/shop' || request.params.id != identity.subject";
    assert.equal(value(ownData, given), false);
    assert.equal(value(ownData, { ...given, params: { id: '18' } }), true);
    assert.equal(value(ownData, { params: { id: '17' } }), true);
    // 03:30 UTC is 05:30 in Berlin's summer.
    assert.equal(value("request.time.getHours('Europe/Berlin') < 6"), true);
    assert.equal(value("request.time.getHours('Europe/Berlin') == 5"), true);
    assert.equal(value("request.method == 'POST' ? 5 : 1", {}, { result: 'number' }), 1n);
  });

  it('reads no header as absent that the door was not told of, and tells nobody how many there are', () => {
    const headers = headerFields([['x-told', '1']], true, new Set(['te', 'x-told']));
    const read = (source: string): Result => value(source, { request: { headers } });
    const untold = failed('the proxy does not tell this door of the header: ask over gRPC to read it');
    for (const source of [
      "request.headers['te'] == null",
      "request.headerValues['te'] == []",
      "'te' in request.headers",
      "!has(request.headers.te) && request.method == 'GET'",
    ])
      assert.deepEqual(read(source), untold, source);
    const some = failed('the proxy does not tell this door of every header: name those that the expression is about');
    for (const source of [
      'size(request.headers)',
      "request.headers.all(name, name != 'te')",
      "request.headers.exists_one(name, name == 'x-told')",
      'request.headers.map(name, name)',
      "request.headers == {'x-told': '1'}",
      "{'x-told': '1'} == request.headers",
    ])
      assert.deepEqual(read(source), some, source);
    assert.equal(read("request.headers['x-told'] == '1' && request.headers['x-other'] == null"), true);
  });

  it('takes every text that an attribute can be', () => {
    for (const source of [
      "request.method == 'PURGE' || request.method in ['GET', 'flush']",
      "request.path == '/' || request.path == '/v1/orders' || request.path == '/a%20b'",
      "request.host == 'api.example.org' || request.host == '[2001:db8::1]'",
      "client.address == '192.0.2.7' || client.address == '2001:db8::1'",
      "client.network == '192.0.2.7/32' || client.network == '2001:db8::/64'",
      "identity.kind in ['apiKey', 'jwt', 'anonymous', 'unauthenticated']",
    ])
      compiled(source, { result: 'bool' });
  });

  it('names the attributes that are read', () => {
    const { attributes } = compiled("client.network == null || identity.groups.exists(g, g == request.headers['x-g'])");
    assert.deepEqual([...attributes].sort(), ['client.network', 'identity.groups', 'request.headers']);
  });

  it('says where a mistake stands and what was meant', () => {
    assert.equal(
      refusal("request.method == 'GET' && identity.grups.size() > 0"),
      '1:36: There is no "identity.grups": did you mean "identity.groups"?\n' +
        "  request.method == 'GET' && identity.grups.size() > 0\n" +
        '                                     ^',
    );
    assert.equal(refusal('1 +'), '1:3: Unexpected +\n  1 +\n    ^');
    assert.equal(refusal('true &&\n  1 + + 1'), '2:5: Unexpected +\n    1 + + 1\n      ^');
  });

  const REFUSED: readonly (readonly [string, RegExp])[] = [
    ['requests.method == "GET"', /There is no "requests": did you mean "request"\?/],
    ['request == "GET"', /"request" is no value of its own: read one of request\.id, /],
    ['identity.name == "x"', /There is no "identity.name": did you mean "identity.\w+"\?/],
    ['request.method == 1', /string and int are never equal/],
    ['request.method < 1', /string and int have no order/],
    ['request.size in ["1"]', /A list\(string\) never holds a int/],
    ['request.method && true', /A condition must be a bool, not string/],
    ['identity.groups.exists(g, g)', /A condition must be a bool, not string/],
    ['request.size + "1" == "1"', /There is no "\+" for int and string/],
    ['request.method.getHours() == 1', /There is no "getHours" for string/],
    ['request.time.getHours("Mars/Olympus") == 1', /There is no time zone "Mars\/Olympus"/],
    ['request.time.getHours(request.host) == 1', /The time zone must be written out/],
    ['request.path.matches(request.host)', /The pattern of "matches" must be written out/],
    ['request.path.matches("(")', /The pattern cannot be used: /],
    ['request.path.matches("(?=x)")', /The pattern cannot be used: /],
    ['request.path.frobnicate()', /There is no function "frobnicate"\n/],
    ["request.path.startWith('/')", /There is no function "startWith": did you mean "startsWith"\?\n/],
    ["request.path.match('/')", /There is no function "match": did you mean "matches"\?\n/],
    ['request.time.getHour() < 6', /There is no function "getHour": did you mean "getHours"\?\n/],
    [
      'has(request.headers["x-a"])',
      /"has" is written as has\(value\.field\); for the key of a map write 'x-a' in request\.headers\n/,
    ],
    ['identity.groups.exists("a")', /"exists" is written as list\.exists\(item, condition\)\n/],
    ['startsWith(request.path, "/")', /"startsWith" is called on a value, as value.startsWith\(…\)/],
    ['request.path.int() == 1', /"int" is called as int\(value\)/],
    ['request.path.startsWith(1)', /There is no "startsWith" for string, int/],
    ['request.time > timestamp("2026-02-30T00:00:00Z")', /timestamp\(…\) cannot be read/],
    ['request.time - request.time > duration("1d")', /duration\(…\) cannot be read/],
    ['identity.groups["a"] == "x"', /A list is read by index, not by string/],
    ['{"a": 1}[1] == 1', /A map\(string, int\) has no key of the type int/],
    ['{1.5: 1} == {}', /A double cannot be a key of a map/],
    ['has(identity.subject)', /"identity.subject" is always there: compare it with null/],
    ['google.rpc.Status{code: 1} == null', /There are no messages here/],
    ['identity.groups.exists(g, h, true)', /There is no|one variable/],
    ['request.headers["X-Role"] == "admin"', /Names of headers are in lower case: write "x-role"/],
    ['"X-Role" in request.headers', /Names of headers are in lower case: write "x-role"/],
    ['request.headerValues["X-Role"] == []', /write "x-role"/],
    ['request.headers[":path"] == "/"', /read request.method, request.host or request.path/],
    ['request.method == "get"', /A method is never "get": write "GET"/],
    ['"delete" != request.method', /A method is never "delete": write "DELETE"/],
    ['request.method in ["GET", "head"]', /A method is never "head": write "HEAD"/],
    ['request.path == "/admin/"', /A canonical path is never "\/admin\/": write "\/admin"/],
    ['request.path == "admin"', /"admin" is no canonical path. The path does not begin with "\/"/],
    ['request.path == "/caf\u00e9"', /write "\/caf%C3%A9"/],
    ['request.path == "/%61dmin"', /write "\/admin"/],
    ['request.host == "API.example.org:443"', /write "api.example.org"/],
    ['request.host == "a b"', /"a b" is no host/],
    ['client.address == "2001:DB8::0:1"', /write "2001:db8::1"/],
    ['client.address == "192.0.2.0/24"', /is no IP address: for a network use cidrs/],
    ['client.network == "192.0.2.0/24"', /it is a \/32 \(IPv4\) or a \/64 \(IPv6\)/],
    ['identity.kind == "anonymus"', /identity.kind is never "anonymus": did you mean "anonymous"\?/],
    ['request.headers.x-tenant == "a"', /"-" is a minus here: write request.headers\['x-tenant'\]/],
    ['request.headers[1] == "x"', /The key must be a string, not int/],
  ];
  for (const [source, why] of REFUSED) {
    it(`refuses ${source}`, () => assert.match(refusal(source), why));
  }

  it('reads the path in lower case where a policy does not regard case, and refuses to look for capitals there', () => {
    const folded = { caseInsensitive: true };
    const given = { request: { path: '/Admin/caf%C3%A9' } };
    const HOLDS = [
      'request.path == "/admin/caf%c3%a9"',
      'request.path in ["/admin/caf%c3%a9"]',
      'request.path.startsWith("/admin")',
      'request.path.matches("^/(Public|ADMIN)/[A-Z]")',
    ];
    for (const source of HOLDS) assert.equal(value(source, given, folded), true, source);
    assert.equal(value('request.path.startsWith("/Admin")', given), true);
    const NEVER: readonly (readonly [string, RegExp])[] = [
      ['request.path == "/Admin"', /With caseInsensitive a canonical path is never "\/Admin": write "\/admin"/],
      ['request.path in ["/caf%C3%A9"]', /write "\/caf%c3%a9"/],
      ['request.path == "/admin/"', /write "\/admin"/],
      ['request.path.startsWith("/Admin")', /The text is in lower case here: write "\/admin" for "\/Admin"/],
      ['request.path.contains("/Admin/")', /write "\/admin\/"/],
      ['request.path.split("X") == []', /write "x"/],
    ];
    for (const [source, why] of NEVER) assert.match(refusal(source, folded), why);
  });

  it('refuses a parameter that is not in every path template in scope', () => {
    assert.match(refusal('request.params.uid == "1"'), /"uid" is not a parameter .* in scope: they share "id"/);
    assert.match(refusal('request.params["uid"] == "1"', { params: [] }), /they share none/);
    assert.match(refusal('has(request.params.uid)'), /"uid" is not a parameter/);
    assert.match(refusal('"uid" in request.params'), /"uid" is not a parameter/);
    assert.match(refusal('request.params[request.method] == "1"'), /must be named outright/);
    assert.match(refusal('["id"].exists(k, k in request.params)'), /must be named outright/);
    assert.equal(value('request.params.id == "a"', { params: { id: 'a' } }), true);
  });

  it('refuses a result of another type than is needed', () => {
    assert.match(refusal('request.method', { result: 'bool' }), /gives string, but a bool is needed/);
    assert.match(refusal('request.method', { result: 'number' }), /gives string, but a number is needed/);
    assert.match(refusal('identity.groups', { result: 'key' }), /gives list\(string\), but a string, an int, a bool/);
    assert.match(refusal('1.5', { result: 'key' }), /gives double, but/);
    for (const source of ['identity.id', '1', 'true', 'null', 'identity.claims.x']) compiled(source, { result: 'key' });
    for (const source of ['1', '1u', '1.5', 'identity.claims.x']) compiled(source, { result: 'number' });
  });

  it('bounds what an author may write', () => {
    assert.match(refusal(`1 in [${Array(1000).fill('1').join()}]`), /more than 1000 parts/);
    assert.match(refusal(`${'['.repeat(40)}1${']'.repeat(40)} == []`), /nests deeper than 32/);
    assert.match(refusal(`${'('.repeat(2000)}true${')'.repeat(2000)}`), /brackets .* nest deeper than 64/);
    assert.match(refusal(`"${'x'.repeat(5000)}" == ""`), /longer than 4096/);
    const four = (['a', 'b', 'c', 'd'] as const).reduce((inner, name) => `[1].all(${name}, ${inner})`, 'true');
    assert.match(refusal(four), /Macros nest deeper than 3/);
    assert.equal(value(Array(200).fill('true').join(' && ')), true);
    assert.equal(value(`"a" + ${Array(100).fill('"b"').join(' + ')} != ""`), true);
  });

  it('refuses brackets opened again and again before parsing them, and counts none in texts and comments', () => {
    for (const open of ['(', '[', 'dyn(', '{1:', 'a.b(', '"(" + (', String.raw`r'\' + (`])
      assert.match(refusal(open.repeat(500)), /brackets .* nest deeper than 64/, open);
    const many = '([{'.repeat(50);
    const texts = [
      `"${many}"`,
      String.raw`'\'${many}'`,
      String.raw`r"${many}\"`,
      `'''${many}'${many}'''`,
      String.raw`"""${many}\"""${many}"""`,
    ];
    for (const text of texts) compiled(`// ${many}\nrequest.id != ${text}`);
  });

  it('refuses a pattern that is short to write and long to compile, before compiling it', () => {
    for (const pattern of [
      '(x{1000}){1000}',
      '\\\\pL{400}',
      '[\\\\p{Greek}é]{400}',
      'x{1000}'.repeat(100),
      '((a{1,30}){1,30}){1,30}',
      '([a-z]{40}){40}',
    ])
      assert.match(refusal(`request.path.matches("${pattern}")`), /more than 1000 parts|invalid repeat/);
    assert.equal(value('request.path.matches("^/v[0-9]{1,3}/[a-z]{1,63}$")'), true);
  });
});

describe('Expression.evaluate()', () => {
  it('lets unknown never help the caller', () => {
    const unknown: Given = { request: { client: { address: null, network: null } } };
    assert.deepEqual(value("client.address == '192.0.2.7'", unknown), failed("the client's address is unknown"));
    assert.deepEqual(value("client.address != '192.0.2.7'", unknown), failed("the client's address is unknown"));
    assert.deepEqual(value('client.network == null', unknown), failed("the client's address is unknown"));
    assert.equal(value('client.network', unknown, { use: 'key', result: 'key' }), null);
    assert.deepEqual(value('request.body.role == "user"'), failed('the body was not forwarded'));
    assert.deepEqual(value('!(request.body.role == "admin")'), failed('the body was not forwarded'));
    assert.deepEqual(value('request.size < 10'), failed('the body was not forwarded'));
  });

  it('takes an absent attribute as null, and errs on what null cannot do', () => {
    assert.equal(value('identity.subject == null'), true);
    assert.equal(value("identity.subject != 'root'"), true);
    assert.equal(value('identity.groups == []'), true);
    assert.equal(value("'x' in identity.groups"), false);
    assert.equal(value("request.headers['x-a'] == null && !('x-a' in request.headers)"), true);
    assert.equal(value('identity.claims.a == null && !has(identity.claims.a)'), true);
    assert.deepEqual(value("identity.subject.startsWith('x')"), failed('no "startsWith" for null and string'));
    assert.deepEqual(value('identity.authTime > request.time'), failed('no "_>_" for null and timestamp'));
    assert.deepEqual(value('identity.authTime.getHours() == 1'), failed('no "getHours" for null'));
    assert.deepEqual(value('identity.claims.a.b == 1'), failed('a value is read from null'));
  });

  it('absorbs an error only where the other side decides', () => {
    assert.equal(value('request.size > 1 || true'), true);
    assert.equal(value('true || request.size > 1'), true);
    assert.equal(value('request.size > 1 && false'), false);
    assert.deepEqual(value('request.size > 1 || false'), failed('the body was not forwarded'));
    assert.deepEqual(value('true && request.size > 1'), failed('the body was not forwarded'));
    assert.equal(value('["a", "b"].exists(x, x == "b" || request.size > 1)'), true);
    assert.equal(value('["a", "b"].all(x, x == "b" && request.size > 1)'), false);
  });

  it('errs on a header that is repeated or not UTF-8, in every expression that reads it', () => {
    const repeated: Given = {
      headers: [
        ['x-role', 'user'],
        ['x-role', 'admin'],
      ],
    };
    for (const source of ["request.headers['x-role'] == 'user'", "request.headers['x-role'] != 'user'"])
      assert.deepEqual(value(source, repeated), failed('"x-role" is repeated'), source);
    for (const source of [
      "request.headers == {'x-role': 'user'}",
      "request.headers != {'x-role': 'user'}",
      "[request.headers] != [{'x-role': 'user'}]",
      "request.headers.exists(k, request.headers[k] == 'none')",
      "(true ? request.headers : request.query)['x-role'] != 'admin'",
    ])
      assert.deepEqual(value(source, repeated), failed('the value is repeated'), source);
    assert.equal(value("request.headerValues['x-role'].exists(v, v == 'admin')", repeated), true);
    assert.deepEqual(
      value("request.headers['x-role'] != 'admin'", { headers: [['x-role', 'admin\udc80']] }),
      failed('the value is not UTF-8'),
    );
  });

  it('errs on a header name in upper case that only the request tells', () => {
    const given: Given = { headers: [['x-role', 'admin']], query: { name: ['X-Role'] } };
    const message = failed('the request tells a name that nothing has: upper case, or no header');
    assert.deepEqual(value("request.headers[request.query.name] != 'admin'", given), message);
    assert.deepEqual(value('!(request.query.name in request.headers)', given), message);
  });

  it('says in no error what the request says, also where that is the name of a header', () => {
    const headers = ['X-Hunter2', ':hunter2', 'hunter2'].flatMap((name): [string, string][] => [
      ['x-hunter2', 'hunter2'],
      ['hunter2', 'a'],
      ['hunter2', 'b'],
      ['x-name', name],
    ]);
    for (const [, name] of headers) {
      for (const source of [
        'request.headers[request.query.name] == "a"',
        'has(request.headers[request.query.name].x)',
        'request.query.name in request.headers && request.headers[request.query.name] == "a"',
        'request.headers.exists(k, request.headers[k] == "x")',
        'timestamp(request.query.name) < request.time',
        'duration(request.query.name) < duration("1s")',
        'int(request.query.name) == 1',
        'double(request.query.name) == 1.0',
        'request.body[request.query.name] == 1',
        'request.query.name.charAt(99) == "x"',
      ]) {
        const problems = new ProblemList();
        const compiled = inOneGo(compileExpression(source, { result: 'any', params: [], use: 'condition' }, problems));
        if (compiled === undefined) continue;
        const text = JSON.stringify(value(source, { headers, query: { name: [name] }, body: '{"a":1}' }) ?? null);
        assert.ok(!text.toLowerCase().includes('hunter2'), `${source}: ${text}`);
      }
    }
  });

  it('reads JSON null and null in lists as null, not as a missing key', () => {
    const given: Given = { body: '{"a":null,"list":[null,1],"o":{"p":null}}' };
    assert.equal(
      value('request.body.a == null && request.body.list[0] == null && request.body.o.p == null', given),
      true,
    );
    assert.deepEqual(value('request.body.b == null', given), failed('there is no such key'));
    assert.deepEqual(value('request.body.list[2] == null', given), failed('the index is out of range'));
    assert.deepEqual(value('request.body.list[-1] == null', given), failed('the index is out of range'));
    assert.equal(value('has(request.body.o.p) && !has(request.body.o.q)', given), true);
  });

  it('errs on a number of JSON that equals its neighbours', () => {
    const body = '{"owner":9007199254740993,"list":[1,9007199254740993],"half":0.5}';
    assert.deepEqual(
      value('request.body.owner == 9007199254740992', { body }),
      failed('the JSON holds a number that no double holds exactly'),
    );
    assert.deepEqual(
      value('request.body.list[0] == 1', { body }),
      failed('the JSON holds a number that no double holds exactly'),
    );
    assert.deepEqual(
      value('request.body.half == 0.5', { body: '{"half":0.5,"huge":1e400}' }),
      failed('the JSON has a number that is too large'),
    );
    assert.equal(value('request.body.half == 0.5', { body }), true);
  });

  it('does not walk into a prototype', () => {
    const given: Given = { body: '{"__proto__":{"admin":true}}', identity: { claims: {} } };
    assert.equal(value('has(request.body.constructor) || has(request.body.toString)', given), false);
    assert.deepEqual(value('request.body.admin == true', given), failed('there is no such key'));
    assert.equal(value('identity.claims.constructor == null && context.toString == null', given), true);
    assert.equal(value('request.query.__proto__ == null', given), true);
  });

  it('tells moments apart to the microsecond', () => {
    const timeMs = Date.UTC(2026, 0, 1) - 0.001;
    assert.equal(value('request.time < timestamp("2026-01-01T00:00:00Z")', { request: { timeMs } }), true);
    assert.equal(value('request.time.getFullYear()', { request: { timeMs } }), 2025n);
    assert.equal(value('string(request.time)', { request: { timeMs } }), '2025-12-31T23:59:59.999999Z');
  });

  it('knows daylight saving time in both directions', () => {
    const hour = (iso: string): Result =>
      value("request.time.getHours('Europe/Berlin')", { request: { timeMs: Date.parse(iso) } });
    assert.deepEqual(
      ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-10-25T00:59:59Z', '2026-10-25T01:00:00Z'].map(hour),
      [1n, 3n, 2n, 2n],
    );
  });
});

describe('the budget of a check', () => {
  const list = (length: number): string => JSON.stringify({ a: Array.from({ length }, (_, i) => i) });
  const OVER = failed('the expressions of the policy take too much work on this request');
  const EVERY = 'request.body.a.all(x, x >= 0)';

  /** What is left of the work that the check's expressions may do, once this one has run. */
  const workOf = (source: string, given: Given = {}): number => {
    const evaluation = anEvaluation(given);
    compiled(source).evaluate(evaluation);
    return MAX_WORK - evaluation.work;
  };
  const millisecondsOf = (run: () => void): number => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };

  it('ends with the iterations of all macros together', () => {
    assert.equal(value(EVERY, { body: list(10_000) }), true);
    assert.deepEqual(value('request.body.a.all(x, request.body.a.all(y, true))', { body: list(400) }), OVER);
  });

  it('is one for all expressions of the check: once it is used up every later one is an error', () => {
    const evaluation = anEvaluation({ body: list(10_000) });
    const results = Array.from({ length: 20 }, () => compiled(EVERY).evaluate(evaluation));
    assert.deepEqual([results[0], results.at(-1)], [true, OVER]);
    assert.deepEqual(compiled('true').evaluate(evaluation), OVER);
    assert.deepEqual(compiled('request.method', { use: 'key' }).key(evaluation), OVER);
  });

  it('is enough for every condition that a policy may hold, patterns and walks over groups among them', () => {
    const evaluation = anEvaluation({
      headers: [['user-agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0']],
      identity: { groups: Array.from({ length: 50 }, (_, i) => `group-${i}`), subject: 'u-1' },
    });
    const sources = [
      "request.headers['user-agent'].matches('(?i)curl|wget|python-requests')",
      "request.path.matches('^/v[0-9]{1,3}/[a-z]{1,63}/[0-9a-f-]{36}$')",
      "identity.groups.exists(g, g.startsWith('admin'))",
      "request.headers['user-agent'].lowerAscii().contains('bot') && identity.subject != 'root'",
    ];
    for (let i = 0; i < 1024; i += 1) {
      const source = sources[i % sources.length] ?? '';
      assert.equal(compiled(source).evaluate(evaluation), false, source);
    }
    assert.ok(evaluation.work > MAX_WORK / 4, `${evaluation.work} left`);
  });

  it('is not absorbed by "or": what was never looked at may not be taken for true', () => {
    const unseen = 'request.body.a.exists(x, request.body.a.exists(y, y < 0)) || true';
    assert.deepEqual(value(unseen, { body: list(400) }), OVER);
  });

  it('covers work that hides in one iteration', () => {
    const long = 'a'.repeat(60_000);
    const maps = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 1]));
    const many: Given = {
      body: JSON.stringify({ a: Array.from({ length: 9_000 }, (_, i) => i + 0.5), m: maps, l: [long], t: long }),
      query: {
        s: [long],
        t: [`${'a'.repeat(30_000)}b${'a'.repeat(29_000)}`],
        space: [' '.repeat(60_000)],
        e: ['AÉ€'.repeat(9_000)],
      },
    };
    for (const source of [
      'request.body.a.all(x, -1 in request.body.a == false)',
      'request.body.a.all(x, request.body.a == request.body.a)',
      'request.body.a.all(x, request.body.m == request.body.m)',
      'request.body.a.all(x, request.body.t in request.body.l)',
      'request.body.a.all(x, [request.body.t] == request.body.l)',
      'request.body.a.all(x, request.query.s.size() > 0)',
      'request.body.a.all(x, !request.query.s.contains("b"))',
      'request.body.a.all(x, !request.query.s.matches("[ab]*b"))',
      'request.body.a.all(x, (request.query.s + request.query.s).size() > 0)',
      'request.body.a.all(x, request.query.s.replace("a", "bb").size() > 0 || true)',
      'request.body.a.all(x, request.query.s.split("").size() > 0 || true)',
      'request.body.a.all(x, request.query.s.lowerAscii() < request.query.t)',
      'request.body.a.all(x, request.query.e.upperAscii() != "")',
      'request.body.a.all(x, request.query.space.trim() == "")',
      'request.body.a.all(x, request.query.s.substring(59000) != "")',
      'request.body.a.all(x, request.query.s.lastIndexOf("ba") < 0)',
      'request.body.a.all(x, bytes(request.query.s) == bytes(request.query.s))',
      'request.body.a.all(x, string(bytes(request.query.s)) != "")',
      'request.body.a.all(x, {request.query.s: 1} != {})',
      'request.body.a.all(x, request.query.s + "" == request.query.s + "")',
      'request.body.a.all(x, double(string(x)) + double(string(x)) > 0.0)',
      'request.body.a.all(x, timestamp(int(x) * 900001).getHours("Europe/Berlin") >= 0)',
      'request.body.a.all(x, request.queryValues.all(k, request.body.m.all(y, true)))',
      'request.query.s.contains(request.query.t) || request.query.s.lastIndexOf(request.query.t) >= 0',
    ])
      assert.deepEqual(value(source, many), OVER, source);
  });

  it("lists an object's keys once, so that a walk that ends at once costs one step of it", () => {
    const members = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 1]));
    const body = JSON.stringify({ a: Array(1_000).fill(1), m: members, n: { ...members, z: 1 } });
    assert.equal(value('request.body.a.all(x, request.body.m.exists(k, true))', { body }), true);
    assert.equal(value('request.body.a.exists(x, request.body.m == request.body.n)', { body }), false);
  });

  it('charges what a pattern costs, not what its length lets expect', () => {
    const text = '123a4bb'.repeat(1_200);
    const given: Given = { query: { s: [text] } };
    const known = compiled("request.query.s.matches('(?i)curl|wget')");
    known.evaluate(anEvaluation(given));
    const again = anEvaluation(given);
    known.evaluate(again);
    assert.ok(MAX_WORK - again.work < 3 * text.length, 'a step or two for each character');
    assert.ok(workOf("request.query.s.matches('^[0-9a-z]{1,20}$')", given) < 12 * text.length);
  });

  it('ends a pattern whose states explode: each held every check for half a second', () => {
    let seed = 7;
    const random = (words: readonly string[], length: number): string => {
      let text = '';
      while (text.length < length) {
        seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
        text += words[seed % words.length];
      }
      return text;
    };
    const explosive: readonly (readonly [string, string])[] = [
      ['\\\\d{3}.{0,200}\\\\d{4}[x-z]', random(['123', 'a', '4', 'bb'], 8_000)],
      ['[ab]*a[ab]{150}[cd]', random(['a', 'b'], 25_641)],
      ['[ab]*a[ab]{150}\\\\b[cd]', random(['a', 'b'], 25_641)],
      ['(?i)(select|union).{0,100}(from|where)[^a-z]', random(['select ', 'union ', 'x', 'from'], 60_000)],
      ['[\\\\pL\\\\pN]{150}[!?]', random(['é', 'A', '1'], 60_000)],
    ];
    for (const [pattern, text] of explosive) {
      const expression = compiled(`request.query.s.matches('${pattern}')`);
      for (let round = 0; round < 3; round += 1) {
        const evaluation = anEvaluation({ query: { s: [text] } });
        const took = millisecondsOf(() => {
          assert.notEqual(expression.evaluate(evaluation), true);
        });
        assert.ok(took < 300, `${pattern}: ${took} ms for ${MAX_WORK - evaluation.work} steps`);
      }
    }
  });

  it('charges each part of what a macro does', () => {
    const body = list(1_000);
    const long = Array(100).fill('x < 0').join(' || ');
    assert.ok(workOf(`request.body.a.exists(x, ${long})`, { body }) > 800_000);
  });

  it('does not take for a list what the budget cut short, when another check reads the same claims', () => {
    const claims = { a: Array.from({ length: 10_000 }, () => [1, 2]) };
    const spent = anEvaluation({ identity: { claims } });
    spent.work = 5_000;
    const expression = compiled('identity.claims.a.size() == 10000');
    assert.deepEqual(expression.evaluate(spent), OVER);
    assert.equal(expression.evaluate(anEvaluation({ identity: { claims } })), true);
  });

  it('is new for each check', () => {
    const expression = compiled('request.body.a.all(x, request.body.a.all(y, true))');
    for (const [length, result] of [
      [400, OVER],
      [3, true],
    ] as const)
      assert.deepEqual(expression.evaluate(anEvaluation({ body: list(length) })), result);
  });

  it('makes trimming and reading numbers linear: both were quadratic in a header', () => {
    const header = `a${' '.repeat(60_000)}b`;
    const given: Given = { query: { spaces: [header], digits: [`${'1'.repeat(60_000)}x`] } };
    const took = millisecondsOf(() => {
      assert.equal(value('request.query.spaces.trim()', given), header);
      assert.deepEqual(value('double(request.query.digits)', given), failed('the text is not a number'));
    });
    assert.ok(took < 300, `${took} ms`);
  });
});

describe('Expression.text()', () => {
  const text = (source: string): unknown => compiled(source, { result: 'any' }).text(anEvaluation());

  it('gives one text for texts, whole numbers and bools, null for null, an error for the rest', () => {
    const NO_TEXT = failed('the value has no one text');
    const sources = ['"a"', '12', '12u', '12.0', 'true', 'null', '1.5', '[1]', 'request.time', '1e300'];
    assert.deepEqual(sources.slice(0, 9).map(text), ['a', '12', '12', '12', 'true', null, NO_TEXT, NO_TEXT, NO_TEXT]);
    assert.match(String(text('1e300')), /^\d{301}$/);
  });
});

describe('Expression.key()', () => {
  const key = (source: string): unknown => compiled(source, { result: 'any' }).key(anEvaluation());

  it('tells types apart that read alike as text, and takes equal numbers as one', () => {
    const values = ['"1"', '1', 'true', '"true"', 'null', '"null"', '""'].map(key);
    assert.equal(new Set(values).size, values.length);
    assert.deepEqual(['1', '1u', '1.0'].map(key), ['n1', 'n1', 'n1']);
    assert.deepEqual([key('null'), key('1.5')], [null, failed('the value has no one text')]);
  });
});

describe('isTrue()', () => {
  it('is an error for anything but true and false', () => {
    const given: Given = { identity: { claims: { admin: 'true', ok: true } } };
    const condition = (source: string): unknown => isTrue(compiled(source, { result: 'bool' }), anEvaluation(given));
    assert.deepEqual(
      ['identity.claims.ok', '!identity.claims.ok', 'identity.claims.admin', 'identity.claims.none'].map(condition),
      [true, false, failed('the value is not a bool'), failed('the value is not a bool')],
    );
  });
});
