import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Decision, Edits, PolicyRef, Refusal } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import { MAX_KNOWN, MAX_LENGTH } from './known-answers.ts';
import { aDecision, decodeResponse } from './wire.fixture.ts';
import { writeCheckResponse } from './wire.ts';

const reasons = Object.keys(REASONS) as ReasonName[];
const isAllow = (reason: ReasonName): boolean => REASONS[reason].kind === 'allow';
const NOTHING: readonly never[] = Object.freeze([]);

const fixedEdits = (removed: readonly string[], query: readonly string[]): Edits =>
  Object.freeze({
    requestHeaders: NOTHING,
    requestHeadersToRemove: Object.freeze([...removed]),
    queryToRemove: Object.freeze([...query]),
    responseHeaders: NOTHING,
  });

/** Edits and refusals as policies have them: few, and the same objects for each of their checks. */
const EDITS = [fixedEdits([], []), fixedEdits(['x-api-key'], []), fixedEdits(['x-api-key', 'x-role'], ['key'])];
const REFUSALS: readonly Refusal[] = reasons
  .filter((reason) => !isAllow(reason))
  .flatMap((reason) => [
    Object.freeze<Refusal>({ reason }),
    Object.freeze<Refusal>({ reason, detail: 'Use "https" é', challenges: Object.freeze(['Bearer realm="api"']) }),
    Object.freeze<Refusal>({
      reason,
      rule: 'per-caller',
      retryAfterS: 7,
      challenges: Object.freeze(['ApiKey', 'Basic']),
    }),
  ]);
const POLICIES: readonly (PolicyRef | undefined)[] = [
  undefined,
  { namespace: 'shop', name: 'orders', uid: 'a', generation: 1 },
  { namespace: 'bank', name: 'tellers', uid: 'b', generation: 2 },
];

const id = fc.stringMatching(/^[0-9a-f]{32}$/);
const told = fc.record({
  decisionId: fc.oneof(
    { weight: 5, arbitrary: id },
    { weight: 1, arbitrary: fc.constantFrom('', 'd-1', 'a\r\nb', 'a'.repeat(31)) },
  ),
  policy: fc.constantFrom(...POLICIES),
  isGrpc: fc.boolean(),
  answerHeaders: fc.constantFrom(NOTHING, [{ name: 'ratelimit', value: '"a";r=0;t=1', action: 'Append' } as const]),
});
const decision = fc.oneof(
  fc
    .tuple(fc.constantFrom(...reasons.filter(isAllow)), fc.constantFrom(...EDITS), told)
    .map(([reason, edits, fields]) => aDecision(reason, { edits, ...fields, answerHeaders: NOTHING })),
  fc
    .tuple(fc.constantFrom(...REFUSALS), told)
    .map(([refusal, fields]) => aDecision(refusal.reason, { refusal, ...fields })),
);

/** The same decision in objects of its own, of which nothing was kept and none can be. */
const anew = (one: Decision): Decision => structuredClone(one);

describe('answers that are known', () => {
  it('are what they would be if each were encoded for itself', () => {
    fc.assert(
      fc.property(fc.array(decision, { minLength: 1, maxLength: 30 }), (decisions) => {
        for (const one of decisions) {
          const bytes = writeCheckResponse(one);
          assert.deepEqual(Buffer.from(bytes), Buffer.from(writeCheckResponse(anew(one))));
          assert.equal(decodeResponse(bytes).status?.code === 0, one.outcome === 'allow');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are not those of another reason, nor an allow for what is refused, by the same edits or refusal', () => {
    const [edits = assert.fail()] = EDITS;
    const decisionId = 'c'.repeat(32);
    const refusal = Object.freeze<Refusal>({ reason: 'not_allowed' });
    for (const reason of [...reasons, ...reasons]) {
      for (const outcome of ['allow', 'deny', 'fault'] as const) {
        const one = aDecision(reason, { outcome, edits, refusal, decisionId });
        const bytes = Buffer.from(writeCheckResponse(one));
        assert.deepEqual(bytes, Buffer.from(writeCheckResponse(anew(one))), `${reason} ${outcome}`);
        const { status } = decodeResponse(bytes);
        assert.equal(status?.code === 0, outcome === 'allow' && isAllow(reason), `${reason} ${outcome}`);
      }
    }
  });

  it('never are of edits or refusals that can change', () => {
    const removed = ['x-a'];
    const edits = Object.freeze({ ...fixedEdits([], []), requestHeadersToRemove: removed });
    const allow = (digit: string): Decision => aDecision('allowed', { edits, decisionId: digit.repeat(32) });
    assert.deepEqual(decodeResponse(writeCheckResponse(allow('1'))).ok_response?.headers_to_remove, ['x-a']);
    removed.push('x-b');
    assert.deepEqual(decodeResponse(writeCheckResponse(allow('2'))).ok_response?.headers_to_remove, ['x-a', 'x-b']);
    const challenges = ['Basic'];
    const refusal = Object.freeze<Refusal>({ reason: 'credential_missing', challenges });
    const denied = (digit: string) =>
      decodeResponse(
        writeCheckResponse(aDecision('credential_missing', { refusal, decisionId: digit.repeat(32) })),
      ).denied_response?.headers.find(({ header }) => header.key === 'www-authenticate')?.header.value;
    assert.equal(denied('3'), 'Basic');
    challenges.push('Bearer');
    assert.equal(denied('4'), 'Basic, Bearer');
  });

  it('are not kept where an id stands elsewhere, for another one would be written over it', () => {
    const decisionId = 'ab'.repeat(16);
    const refusal = Object.freeze<Refusal>({ reason: 'not_allowed', detail: `see ${decisionId}` });
    const bodyOf = (given: string) =>
      decodeResponse(writeCheckResponse(aDecision('not_allowed', { refusal, decisionId: given }))).denied_response
        ?.body;
    for (const given of [decisionId, 'cd'.repeat(16), decisionId])
      assert.ok(bodyOf(given)?.includes(`"detail":"see ${decisionId}"`), given);
  });

  it('are encoded each time where they are long', () => {
    const names = Array.from({ length: 200 }, (_, i) => `x-${'n'.repeat(40)}-${i}`);
    const edits = fixedEdits(names, []);
    for (const digit of ['7', '8']) {
      const bytes = writeCheckResponse(aDecision('allowed', { edits, decisionId: digit.repeat(32) }));
      assert.ok(bytes.length > MAX_LENGTH);
      assert.deepEqual(decodeResponse(bytes).ok_response?.headers_to_remove, names);
    }
  });

  it('are forgotten when there are too many, and the next ones are right', () => {
    for (let i = 0; i < MAX_KNOWN + 10; i += 1) {
      const refusal = Object.freeze<Refusal>({ reason: 'not_allowed', detail: `rule ${i}` });
      for (const digit of ['5', '6']) {
        const one = aDecision('not_allowed', { refusal, decisionId: digit.repeat(32) });
        const body = decodeResponse(writeCheckResponse(one)).denied_response?.body ?? '';
        assert.ok(body.includes(`"detail":"rule ${i}"`) && body.includes(digit.repeat(32)), body);
      }
    }
  });
});
