import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerFields } from '../core/attributes.ts';
import { inOneGo } from '../core/breather.ts';
import { MAX_COOKIES } from '../core/cookies.ts';
import type { HeaderAction } from '../core/decision.ts';
import { anEvaluation, type Given } from '../core/evaluation.fixture.ts';
import type { Carrier } from '../core/evaluation.ts';
import { ProblemList } from '../core/problem.ts';
import { compileExpression } from '../match/expression/expression.ts';
import { compileEdits, planBeside, type UpstreamHeader } from './edit-plan.ts';
import { editsOf } from './edits.ts';
import { OVERRIDE_HEADERS, ownHeaders, withoutOwn } from './own-headers.ts';

function header(name: string, expression: string, action: HeaderAction = 'Set'): UpstreamHeader {
  const value = inOneGo(compileExpression(expression, { result: 'key', params: [], use: 'key' }, new ProblemList()));
  return { name, value: value ?? assert.fail(expression), action, missing: 'Remove' };
}

interface Parts {
  readonly set?: readonly UpstreamHeader[];
  readonly keep?: readonly string[];
  readonly credentials?: readonly Carrier[];
}

const planOf = ({ set = [], keep = [], credentials = [] }: Parts) =>
  compileEdits({ upstreamHeaders: set, keepHeaders: keep, credentials, forwarded: [], overTls: [] });

/** What an allow sets, and what it removes besides overrides; or the reason why there is none. */
function edits(parts: Parts, given: Given): readonly unknown[] {
  const made = editsOf(planOf(parts), anEvaluation(given));
  if ('failed' in made) return [made.failed.reason];
  const removed = made.requestHeadersToRemove.filter((name) => !OVERRIDE_HEADERS.some((other) => other === name));
  return [made.requestHeaders.map(({ name, value, action }) => `${action} ${name}: ${value}`), removed.sort()];
}

const named = (...names: string[]): [string, string][] => names.map((name) => [name, 'theirs']);
const ANN: Given['identity'] = { kind: 'jwt', id: 'ann' };

describe('editsOf() and other spellings of a header', () => {
  it('removes them where the policy names the plain one', () => {
    const parts: Parts = { set: [header('x-caller', 'identity.id')] };
    const sent = named('x-caller', 'x_caller', 'x.caller', 'x~caller', 'x-callers', 'xcaller');
    assert.deepEqual(edits(parts, { headers: sent, identity: ANN }), [
      ['Set x-caller: ann'],
      ['x.caller', 'x_caller', 'x~caller'],
    ]);
  });

  it('removes the plain one where the policy names another: x_caller and x-caller are one variable to CGI', () => {
    const parts: Parts = {
      set: [header('x_caller', 'identity.id')],
      credentials: [{ kind: 'header', name: 'x_api_key' }],
    };
    const sent = named('x-caller', 'x.caller', 'x_caller', 'x-api-key', 'x_api_key', 'x-other');
    assert.deepEqual(edits(parts, { headers: sent, identity: ANN }), [
      ['Set x_caller: ann'],
      ['x-api-key', 'x-caller', 'x.caller', 'x_api_key'],
    ]);
    assert.deepEqual(edits(parts, { headers: sent }), [
      [],
      ['x-api-key', 'x-caller', 'x.caller', 'x_api_key', 'x_caller'],
    ]);
  });

  it('keeps both where the policy sets both', () => {
    const parts: Parts = { set: [header('x_caller', "'a'"), header('x-caller', "'b'")] };
    assert.deepEqual(edits(parts, { headers: named('x_caller', 'x-caller') }), [
      ['Set x_caller: a', 'Set x-caller: b'],
      [],
    ]);
  });

  it('leaves the shared edits to a request that holds none', () => {
    const plan = planOf({ credentials: [{ kind: 'header', name: 'x_api_key' }] });
    assert.equal(
      editsOf(plan, anEvaluation({ headers: named('accept', 'x_api_key', 'x_b3_traceid') })),
      plan.fixed?.plain,
    );
  });
});

describe('editsOf() beside headers that other policies of the host set', () => {
  const ALL = Array.from({ length: 1000 }, (_, i) => `x-sibling-${i}`);

  it('is the plan itself where nobody sets others', () => {
    const plan = planOf({ set: [header('x-caller', 'identity.id'), header('x-via', "'postern'")] });
    for (const own of [plan.own, ownHeaders([]), ownHeaders(['x-caller'])]) assert.equal(planBeside(plan, own), plan);
  });

  it('leaves one list to every request, made once', () => {
    const plan = planOf({});
    const own = ownHeaders(['x-caller']);
    const [first, second] = ['a', 'b'].map((id) => editsOf(planBeside(plan, own), anEvaluation({ identity: { id } })));
    assert.equal(first, second);
    assert.ok(first !== undefined && 'requestHeadersToRemove' in first);
    assert.deepEqual(first.requestHeadersToRemove, [...OVERRIDE_HEADERS, 'x-caller']);
  });

  it('removes of very many those that the request holds, so that no answer grows too long', () => {
    const beside = planBeside(planOf({ keep: ['x-sibling-998'] }), ownHeaders(ALL));
    const made = editsOf(beside, anEvaluation({ headers: named('x-sibling-998', 'x-sibling-999', 'x_sibling_500') }));
    assert.ok('requestHeadersToRemove' in made);
    assert.ok(made.requestHeadersToRemove.length < 100, String(made.requestHeadersToRemove.length));
    assert.deepEqual(made.requestHeadersToRemove.slice(-2), ['x-sibling-999', 'x_sibling_500']);
    assert.ok(!made.requestHeadersToRemove.includes('x-sibling-998'));
  });

  it('removes them so too of a request that cannot be evaluated', () => {
    const { requestHeadersToRemove: removed } = withoutOwn(ownHeaders(ALL), headerFields(named('x-sibling-999', 'x')));
    assert.ok(removed.length < 100 && removed.includes('x-sibling-0') && removed.at(-1) === 'x-sibling-999');
  });
});

describe('editsOf() and what the client sent of a header that the policy sets', () => {
  it('keeps it beside a constant alone, where the action says so', () => {
    const actions: readonly HeaderAction[] = ['Append', 'AddIfAbsent'];
    for (const action of actions) {
      const set = [header('x-via', "'postern'", action), header('x-caller', 'identity.id', action)];
      assert.deepEqual(edits({ set }, { headers: named('x-via', 'x-caller'), identity: ANN }), [
        [`${action} x-via: postern`, 'Set x-caller: ann'],
        [],
      ]);
      assert.deepEqual(edits({ set }, { headers: named('x-via', 'x-caller') }), [
        [`${action} x-via: postern`],
        ['x-caller'],
      ]);
    }
  });

  it('keeps no override of method or path that is to be added if absent, unless keepHeaders says so', () => {
    const set = [header('x-original-url', "'/ours'", 'AddIfAbsent')];
    const headers = named('x-original-url');
    assert.deepEqual(edits({ set }, { headers }), [['Set x-original-url: /ours'], []]);
    assert.deepEqual(edits({ set, keep: ['x-original-url'] }, { headers }), [
      ['AddIfAbsent x-original-url: /ours'],
      [],
    ]);
  });

  it('keeps no credential that the policy appends to', () => {
    for (const [name, carrier] of [
      ['x-api-key', { kind: 'header', name: 'x-api-key' }],
      ['authorization', { kind: 'authorizationScheme', name: 'apikey' }],
    ] as const) {
      const set = [header(name, "'ours'", 'Append')];
      const headers: [string, string][] = [[name, 'ApiKey theirs']];
      assert.deepEqual(edits({ set, credentials: [carrier] }, { headers }), [[`Set ${name}: ours`], []]);
    }
  });
});

describe('editsOf() and a credential among cookies', () => {
  const credentials: readonly Carrier[] = [{ kind: 'cookie', name: 'session' }];
  const cookies = (value: string, headersAreJoined = false) =>
    edits({ credentials }, { headers: [['cookie', value]], headersAreJoined });

  it('takes it out and leaves the others as they are, commas included', () => {
    for (const [sent, left] of [
      ['prefs={"a":1,"admin":true}; session=k', 'prefs={"a":1,"admin":true}'],
      ['x="1,role=admin,2"; session=k', 'x="1,role=admin,2"'],
      ['a=1,session=k; session=k', 'a=1,session=k'],
      ['session=a,b; c=1', 'c=1'],
    ] as const) {
      assert.deepEqual(cookies(sent), [[`Set cookie: ${left}`], []], sent);
    }
  });

  it('parts them at a comma only where Envoy joins lines and another cookie follows', () => {
    for (const [sent, left] of [
      ['prefs={"a":1,"admin":true}; session=k', 'prefs={"a":1,"admin":true}'],
      ['a=1,session=k,b=2', 'a=1; b=2'],
      ['a,session=k', 'a'],
      ['session=k,rest; b=2', 'b=2'],
    ] as const) {
      assert.deepEqual(cookies(sent, true), [[`Set cookie: ${left}`], []], sent);
    }
    assert.deepEqual(cookies('session=k', true), [[], ['cookie']]);
  });

  it('leaves alone what holds no credential, whatever else it holds', () => {
    for (const sent of ['a=1;; b=2', 'a=\udcff', 'sessions=1', `a=${'x'.repeat(50_000)}`])
      assert.deepEqual(cookies(sent), [[], []], sent.slice(0, 20));
  });

  it('refuses as malformed, not as our fault, what cannot be written back', () => {
    for (const sent of ['a=\udcff; session=k', `a=${'x'.repeat(50_000)}; session=k`, 'a=\u0001; session=k'])
      assert.deepEqual(cookies(sent), ['malformed_request'], sent.slice(0, 20));
    assert.deepEqual(cookies('session=\udcff; a=1'), [['Set cookie: a=1'], []]);
  });

  it('refuses more cookies than are looked through, whatever they are: the credential could be among the rest', () => {
    for (const joined of [false, true]) {
      const sent = (count: number): string => `${'a=1;'.repeat(count - 1)}session=k`;
      assert.deepEqual(cookies(sent(MAX_COOKIES + 1), joined), ['malformed_request']);
      assert.equal(cookies(sent(MAX_COOKIES), joined).length, 2);
    }
    assert.deepEqual(cookies(';'.repeat(58_000)), ['malformed_request']);
  });

  it('lets a policy that sets cookies of its own have them', () => {
    const set = [header('cookie', "'ours=1'")];
    assert.deepEqual(edits({ set, credentials }, { headers: [['cookie', 'a=1; session=k']] }), [
      ['Set cookie: ours=1'],
      [],
    ]);
  });
});
