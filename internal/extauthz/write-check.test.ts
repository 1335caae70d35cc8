import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Decision, HeaderEdit } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import { MAX_EDIT_CHARACTERS, MAX_EDITS, MAX_REMOVALS } from './edit-problem.ts';
import {
  aDecision,
  type CheckResponse,
  type DeniedResponse,
  decodeResponse,
  type HeaderOption,
} from './wire.fixture.ts';
import { sendable, writeCheckResponse } from './wire.ts';

const reasons = Object.keys(REASONS) as ReasonName[];
const allows = reasons.filter((reason) => REASONS[reason].kind === 'allow');
const refusals = reasons.filter((reason) => REASONS[reason].kind !== 'allow');

const answer = (decision: Decision): CheckResponse => decodeResponse(writeCheckResponse(decision));
const denial = (decision: Decision): DeniedResponse => {
  const { denied_response } = answer(decision);
  assert.ok(denied_response);
  return denied_response;
};
const pairs = (options: readonly HeaderOption[]) => options.map(({ header: { key, value } }) => [key, value]);
const set = (name: string, value: string): HeaderEdit => ({ name, value, action: 'Set' });
const anAllow = (edits: Partial<Decision['edits']>): Decision =>
  aDecision('allowed', { edits: { ...aDecision('allowed').edits, ...edits } });

describe('writeCheckResponse()', () => {
  for (const reason of reasons) {
    for (const isGrpc of [false, true]) {
      it(`answers ${reason}${isGrpc ? ' to a gRPC caller' : ''} with code 0 only if it is an allow`, () => {
        const { status } = answer(aDecision(reason, { isGrpc }));
        assert.ok(status);
        assert.equal(status.code === 0, REASONS[reason].kind === 'allow');
        if (status.code !== 0) assert.equal(status.code, REASONS[reason].grpc);
      });
    }
  }

  it('never lets pass what says allow for a reason to refuse, or refuses for a reason to allow', () => {
    for (const reason of refusals) {
      const { status, denied_response } = answer(aDecision(reason, { outcome: 'allow' }));
      assert.deepEqual([status?.code, denied_response?.status?.code], [REASONS.internal.grpc, 'InternalServerError']);
    }
    for (const reason of allows) {
      for (const outcome of ['deny', 'fault'] as const) {
        assert.equal(answer(aDecision(reason, { outcome })).status?.code, REASONS.internal.grpc);
      }
    }
  });

  it('puts no_snapshot, and nothing else, into error_response', () => {
    const inError = reasons.filter((reason) => answer(aDecision(reason)).http_response === 'error_response');
    assert.deepEqual(inError, ['no_snapshot']);
  });

  it('writes an allow with every edit', () => {
    const decision = aDecision('allowed', {
      policy: { namespace: 'shop', name: 'orders', uid: 'u', generation: 1 },
      edits: {
        requestHeaders: [
          set('X-Caller', 'acme'),
          { name: 'x-tag', value: 'a', action: 'Append' },
          { name: 'x-zone', value: '', action: 'AddIfAbsent' },
        ],
        requestHeadersToRemove: ['x-api-key', 'X_Caller'],
        queryToRemove: ['api_key'],
        responseHeaders: [set('ratelimit', '"default";r=9;t=1')],
      },
    });
    const option = (key: string, value: string, append: boolean | null, append_action: string): object => ({
      header: { key, value, raw_value: Buffer.alloc(0) },
      append: append === null ? null : { value: append },
      append_action,
      keep_empty_value: value === '',
    });
    assert.deepEqual(answer(decision), {
      status: { code: 0, message: '' },
      http_response: 'ok_response',
      ok_response: {
        headers: [
          option('x-caller', 'acme', false, 'OVERWRITE_IF_EXISTS_OR_ADD'),
          option('x-tag', 'a', true, 'APPEND_IF_EXISTS_OR_ADD'),
          option('x-zone', '', null, 'ADD_IF_ABSENT'),
        ],
        headers_to_remove: ['x-api-key', 'x_caller'],
        response_headers_to_add: [
          option('x-postern-decision-id', 'd-1', false, 'OVERWRITE_IF_EXISTS_OR_ADD'),
          option('ratelimit', '"default";r=9;t=1', false, 'OVERWRITE_IF_EXISTS_OR_ADD'),
        ],
        query_parameters_to_set: [],
        query_parameters_to_remove: ['api_key'],
      },
      dynamic_metadata: {
        fields: {
          decision_id: { kind: 'stringValue', stringValue: 'd-1' },
          policy: { kind: 'stringValue', stringValue: 'shop/orders' },
          reason: { kind: 'stringValue', stringValue: 'allowed' },
        },
      },
    });
  });

  it('names the decision in a header of every answer, and none that no header should hold', () => {
    const named = (decision: Decision): readonly unknown[] => {
      const { ok_response, denied_response, error_response } = answer(decision);
      const options = ok_response?.response_headers_to_add ?? (denied_response ?? error_response)?.headers ?? [];
      return options.filter(({ header }) => header.key === 'x-postern-decision-id').map(({ header }) => header.value);
    };
    for (const reason of reasons) {
      for (const isGrpc of [false, true]) {
        assert.deepEqual(named(aDecision(reason, { isGrpc })), ['d-1'], reason);
        assert.deepEqual(named(aDecision(reason, { isGrpc, decisionId: 'a\r\nb' })), [], reason);
      }
    }
  });

  it('names decision, policy and reason in the metadata of every answer', () => {
    for (const reason of reasons) {
      const { fields } = answer(aDecision(reason)).dynamic_metadata ?? { fields: {} };
      const values = Object.entries(fields).map(([key, value]) => [key, value.stringValue]);
      assert.deepEqual(Object.fromEntries(values), { decision_id: 'd-1', policy: 'none', reason });
    }
  });

  it('does not remove what it sets, for Envoy removes last', () => {
    const ok = answer(
      anAllow({
        requestHeaders: [{ name: 'x-caller', value: 'acme', action: 'Append' }, set('x-plan', 'gold')],
        requestHeadersToRemove: ['X-Caller', 'x-plan', 'x-other'],
      }),
    ).ok_response;
    assert.deepEqual(ok?.headers_to_remove, ['x-other']);
    assert.deepEqual(
      ok?.headers.map(({ append_action }) => append_action),
      ['OVERWRITE_IF_EXISTS_OR_ADD', 'OVERWRITE_IF_EXISTS_OR_ADD'],
    );
  });

  it('writes a refusal as a problem document with the headers that belong to it', () => {
    const response = denial(
      aDecision('token_expired', {
        refusal: {
          reason: 'token_expired',
          detail: 'The token ended at "noon" <b>é</b>\n',
          challenges: ['Bearer realm="orders"', 'ApiKey'],
          retryAfterS: 1.2,
          cause: 'internal words',
        },
        answerHeaders: [set('ratelimit', '"default";r=0;t=9')],
      }),
    );
    assert.deepEqual(pairs(response.headers), [
      ['x-postern-decision-id', 'd-1'],
      ['content-type', 'application/problem+json'],
      ['www-authenticate', 'Bearer realm="orders", ApiKey'],
      ['retry-after', '2'],
      ['ratelimit', '"default";r=0;t=9'],
    ]);
    assert.equal(response.status?.code, 'Unauthorized');
    assert.match(response.body, /^[ -~]*$/);
    assert.doesNotMatch(response.body, /[<>&]|internal words/);
    assert.deepEqual(JSON.parse(response.body), {
      type: 'urn:postern:reason:token_expired',
      title: 'The token is not valid now',
      status: 401,
      decisionId: 'd-1',
      detail: 'The token ended at "noon" <b>é</b>\n',
    });
  });

  it('sets every header of a refusal, for Envoy adds nothing else to a denied answer', () => {
    const answerHeaders = (['Append', 'AddIfAbsent'] as const).map((action) => ({
      name: `x-${action}`,
      value: '1',
      action,
    }));
    const { headers } = denial(aDecision('not_allowed', { answerHeaders }));
    assert.deepEqual(
      new Set(headers.map((each) => [each.append?.value, each.append_action].join())),
      new Set(['false,OVERWRITE_IF_EXISTS_OR_ADD']),
    );
    assert.deepEqual(pairs(headers).slice(-2), [
      ['x-append', '1'],
      ['x-addifabsent', '1'],
    ]);
  });

  it('uses the registered problem types of rate limits, and names the limit', () => {
    const limited = aDecision('rate_limited', {
      refusal: { reason: 'rate_limited', rule: 'per-caller', retryAfterS: 7 },
    });
    assert.deepEqual(JSON.parse(denial(limited).body), {
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Too many requests',
      status: 429,
      decisionId: 'd-1',
      'violated-policies': ['per-caller'],
    });
    const { type } = JSON.parse(denial(aDecision('overloaded')).body);
    assert.equal(type, 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity');
  });

  it('says of the input which place breaks which rule', () => {
    const errors = [
      { pointer: '/query/<limit>', rule: 'maximum' },
      { pointer: '/body/a"b', rule: 'type' },
    ];
    const { body } = denial(aDecision('too_many_parameters', { refusal: { reason: 'too_many_parameters', errors } }));
    assert.deepEqual(JSON.parse(body).errors, errors);
    assert.doesNotMatch(body, /[<>]/);
  });

  for (const reason of refusals) {
    it(`gives ${reason} its status, title and type`, () => {
      const { denied_response, error_response } = answer(aDecision(reason));
      const response = denied_response ?? error_response;
      const { title, status, type } = JSON.parse(response?.body ?? '');
      assert.deepEqual([title, status], [REASONS[reason].title, REASONS[reason].http]);
      assert.ok(String(type).endsWith(`:${reason}`) || String(type).startsWith('https://iana.org/'));
      assert.ok(Number.isNaN(Number(response?.status?.code)), 'a status that http_status.proto names');
    });
  }

  it('gives gRPC callers a status and a percent-encoded message, without a body', () => {
    const response = denial(
      aDecision('rate_limited', {
        isGrpc: true,
        refusal: { reason: 'rate_limited', detail: '100 % – später\n', retryAfterS: 3 },
      }),
    );
    assert.equal(response.status?.code, 'OK');
    assert.equal(response.body, '');
    assert.deepEqual(pairs(response.headers), [
      ['x-postern-decision-id', 'd-1'],
      ['content-type', 'application/grpc'],
      ['grpc-status', '8'],
      ['grpc-message', 'Too many requests: 100 %25 %E2%80%93 sp%C3%A4ter%0A'],
      ['retry-after', '3'],
    ]);
  });

  for (const retryAfterS of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`says a whole positive number for a Retry-After of ${retryAfterS}`, () => {
      const refused = denial(aDecision('deadline', { refusal: { reason: 'deadline', retryAfterS } }));
      assert.deepEqual(pairs(refused.headers).at(-1), ['retry-after', '1']);
    });
  }

  const broken: readonly (readonly [string, Partial<Decision['edits']>])[] = [
    ['a value with CR LF', { requestHeaders: [set('x-caller', 'acme\r\nx-admin: 1')] }],
    ['a value with LF', { responseHeaders: [set('x-caller', 'acme\nx')] }],
    ['a value with NUL', { requestHeaders: [set('x-caller', 'a\u0000b')] }],
    ['a value that is not UTF-8', { requestHeaders: [set('cookie', 'a=\udcff')] }],
    ['a name with a space', { requestHeaders: [set('x caller', 'acme')] }],
    ['a name with CR LF', { responseHeaders: [set('x\r\ny', 'acme')] }],
    ['an empty name', { requestHeaders: [set('', 'acme')] }],
    ["a name of HTTP/2's own", { requestHeaders: [set(':path', '/admin')] }],
    ['a name to remove with LF', { requestHeadersToRemove: ['x-a\nb'] }],
    ['Host to remove', { requestHeadersToRemove: ['Host'] }],
    ['a parameter that is not text', { queryToRemove: ['\ud800'] }],
    ['too many headers', { requestHeaders: Array.from({ length: MAX_EDITS + 1 }, (_, i) => set(`x-${i}`, '')) }],
    ['too many removals', { requestHeadersToRemove: Array.from({ length: MAX_REMOVALS + 1 }, (_, i) => `x-${i}`) }],
    ['too large headers', { requestHeaders: [set('x-large', 'a'.repeat(MAX_EDIT_CHARACTERS))] }],
  ];
  for (const [what, edits] of broken) {
    it(`refuses an allow with ${what}`, () => {
      const { status, denied_response, ok_response } = answer(anAllow(edits));
      assert.equal(ok_response, undefined);
      assert.deepEqual([status?.code, denied_response?.status?.code], [REASONS.internal.grpc, 'InternalServerError']);
      assert.deepEqual(pairs(denied_response?.headers ?? []), [
        ['x-postern-decision-id', 'd-1'],
        ['content-type', 'application/problem+json'],
      ]);
    });
  }

  it('refuses with internal where a challenge or an answer header could not be sent', () => {
    const refusal = { reason: 'token_invalid', challenges: ['Bearer realm="a\r\nb"'] } as const;
    for (const fields of [{ refusal }, { answerHeaders: [set('x', 'a\u0007')] }]) {
      assert.equal(answer(aDecision('token_invalid', fields)).denied_response?.status?.code, 'InternalServerError');
    }
  });

  it('keeps text beyond ASCII, and every length around the buffers', () => {
    for (const length of [0, 1, 47, 48, 49, 127, 128, 4095, 4096, 16_384, 40_000]) {
      const value = 'é'.repeat(Math.floor(length / 2)) + 'a'.repeat(Math.ceil(length / 2));
      const ok = answer(anAllow({ requestHeaders: [set('x-name', value)] })).ok_response;
      assert.equal(ok?.headers[0]?.header.value, value);
    }
  });

  it('never writes an allow, or a byte that ends a header, out of hostile edits', () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom('x-caller', 'host', ':path', 'a\r\nb', '\u0000', '\udcff', '', 'X-Caller', 'x_caller'),
    );
    const edit = fc.record({ name: hostile, value: hostile, action: fc.constantFrom('Set', 'Append', 'AddIfAbsent') });
    const edits = fc.array(edit, { maxLength: 3 });
    const list = fc.array(hostile, { maxLength: 3 });
    const decision = fc.record({
      outcome: fc.constantFrom('allow', 'deny', 'fault'),
      reason: fc.constantFrom(...reasons),
      decisionId: hostile,
      isGrpc: fc.boolean(),
      refusal: fc.option(
        fc.record({ reason: fc.constantFrom(...refusals), detail: hostile, rule: hostile, challenges: list }),
        {
          nil: undefined,
        },
      ),
      answerHeaders: edits,
      edits: fc.record({
        requestHeaders: edits,
        responseHeaders: edits,
        requestHeadersToRemove: list,
        queryToRemove: list,
      }),
    });
    fc.assert(
      fc.property(decision, (fields) => {
        const made = aDecision('allowed', fields as Partial<Decision>);
        const response = answer(made);
        assert.equal(
          response.status?.code === 0,
          made.outcome === 'allow' && allows.includes(made.reason) && sendable(made) === made,
        );
        const { ok_response, denied_response, error_response } = response;
        const options = [
          ...(ok_response?.headers ?? []),
          ...(ok_response?.response_headers_to_add ?? []),
          ...((denied_response ?? error_response)?.headers ?? []),
        ];
        for (const [name, value] of pairs(options)) {
          assert.match(String(name), /^[!#$%&'*+.^_`|~0-9a-z-]+$/);
          assert.doesNotMatch(String(value), /[^\t\x20-\x7e\x80-\u{10ffff}]/u);
        }
        for (const removed of ok_response?.headers_to_remove ?? []) {
          assert.ok(!ok_response?.headers.some(({ header }) => header.key === removed));
        }
        if (denied_response !== undefined && denied_response.body !== '') JSON.parse(denied_response.body);
      }),
      { numRuns: 800 },
    );
  });
});
