import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Decision, HeaderEdit } from '../../core/decision.ts';
import { REASONS, type ReasonName } from '../../core/reasons.ts';
import { aDecision } from '../wire.fixture.ts';
import { sendable } from '../wire.ts';
import { ENVOY } from './envoy-dialect.ts';
import { NGINX } from './nginx-dialect.ts';
import { TRAEFIK } from './traefik-dialect.ts';
import { type HttpAnswer, plainRefusal, writeAnswer } from './write-answer.ts';

const DIALECTS = { ENVOY, NGINX, TRAEFIK };
const reasons = Object.keys(REASONS) as ReasonName[];
const set = (name: string, value: string): HeaderEdit => ({ name, value, action: 'Set' });
const answer = (decision: Decision, dialect = TRAEFIK): HttpAnswer => writeAnswer(sendable(decision), dialect);
const edits = (changes: Partial<Decision['edits']>): Partial<Decision> => ({
  edits: { ...aDecision('allowed').edits, ...changes },
});

describe('writeAnswer()', () => {
  for (const [name, dialect] of Object.entries(DIALECTS)) {
    it(`answers 200 to ${name} for an allow, and for nothing else a status below 400`, () => {
      for (const reason of reasons) {
        for (const isGrpc of [false, true]) {
          const { status } = answer(aDecision(reason, { isGrpc }), dialect);
          if (REASONS[reason].kind === 'allow') assert.equal(status, 200, reason);
          else assert.ok(status >= 400 && status <= 599, `${reason}: ${status}`);
        }
      }
    });

    it(`never lets ${name} pass what says allow for a reason to refuse, or the reverse`, () => {
      for (const reason of reasons) {
        const isAllow = REASONS[reason].kind === 'allow';
        const { status, headers } = answer(aDecision(reason, { outcome: isAllow ? 'deny' : 'allow' }), dialect);
        assert.ok(status >= 400, `${reason}: ${status}`);
        assert.deepEqual(headers.find(([field]) => field === 'x-postern-status')?.[1], '500');
      }
    });
  }

  it('leaves to the failure mode of Envoy what is not ready, and nothing that a request can bring about', () => {
    const asErrors = reasons.filter((reason) => answer(aDecision(reason), ENVOY).status >= 500);
    assert.deepEqual(asErrors, ['no_snapshot']);
  });

  it('gives nginx only what it takes for a refusal, and says which is meant', () => {
    const told = (reason: ReasonName) => {
      const { status, headers } = answer(aDecision(reason), NGINX);
      return [status, headers.find(([field]) => field === 'x-postern-status')?.[1]];
    };
    assert.deepEqual(told('credential_missing'), [401, '401']);
    assert.deepEqual(told('rate_limited'), [403, '429']);
    assert.deepEqual(told('malformed_path'), [403, '400']);
    assert.deepEqual(told('internal'), [403, '500']);
    assert.deepEqual(told('no_snapshot'), [503, '503']);
  });

  it('writes an allow with every edit', () => {
    const changes = edits({
      requestHeaders: [set('X-Caller', 'acmé')],
      requestHeadersToRemove: ['X-Api-Key', 'x_caller'],
      responseHeaders: [set('ratelimit', '"d";r=1')],
    });
    assert.deepEqual(answer(aDecision('allowed', changes), ENVOY), {
      status: 200,
      headers: [
        ['x-caller', 'acm\u00c3\u00a9'],
        ['x-envoy-auth-headers-to-remove', 'x-api-key,x_caller'],
        ['ratelimit', '"d";r=1'],
        ['x-postern-decision-id', 'd-1'],
        ['cache-control', 'no-store'],
      ],
      body: '',
    });
  });

  it('writes a refusal with a problem document of the status that is sent', () => {
    const refusal = { reason: 'rate_limited', rule: 'per-caller', retryAfterS: 1.2, challenges: ['A', 'B'] } as const;
    const { status, headers, body } = answer(aDecision('rate_limited', { refusal, isGrpc: true }), NGINX);
    assert.equal(status, 403);
    assert.deepEqual(headers, [
      ['retry-after', '2'],
      ['www-authenticate', 'A, B'],
      ['content-type', 'application/problem+json'],
      ['x-postern-status', '429'],
      ['x-postern-decision-id', 'd-1'],
      ['cache-control', 'no-store'],
    ]);
    assert.deepEqual(JSON.parse(body), {
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Too many requests',
      status: 403,
      decisionId: 'd-1',
      'violated-policies': ['per-caller'],
    });
  });

  it('refuses what no header can hold', () => {
    const { status } = answer(aDecision('allowed', edits({ requestHeaders: [set('x-a', 'a\r\nb: c')] })));
    assert.equal(status, 500);
  });

  it('is a refusal whatever status a dialect gives', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), fc.constantFrom(...reasons), (status, reason) => {
        const written = writeAnswer(sendable(aDecision(reason)), { statusOf: () => status });
        assert.equal(written.status === 200, REASONS[reason].kind === 'allow');
        assert.equal(written.status < 400, REASONS[reason].kind === 'allow');
        assert.ok(plainRefusal(status, '').status >= 400);
      }),
    );
  });
});
