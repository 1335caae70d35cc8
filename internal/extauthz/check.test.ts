import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Attributes } from '../core/attributes.ts';
import { REASONS } from '../core/reasons.ts';
import type { CheckCall, Checked } from '../policy/checked.ts';
import { NO_SPAN } from '../telemetry/tracing.ts';
import { type CheckOptions, createCheckBytes, type DoorCall } from './check.ts';
import { A_REQUEST, aDecision, decodeResponse, encodeRequest } from './wire.fixture.ts';

const REQUEST = encodeRequest(A_REQUEST);
const CALL: DoorCall = { deadlineMs: undefined, isCancelled: () => false, metadata: undefined };
const ALLOWED: Checked = {
  decision: aDecision('allowed'),
  request: undefined,
  policy: undefined,
  evaluation: undefined,
};

type Seen = readonly [attributes: Attributes | undefined, checked: Checked];

/** Keeps what it is told, as the observer's port has it. */
function recorder(): CheckOptions['observer'] & { readonly seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    begin: () => ({ span: NO_SPAN, startMs: 0 }),
    finish: (_observation, attributes, checked) => void seen.push([attributes, checked]),
  };
}

function aCheck(
  check: (request: Attributes, call: CheckCall) => Checked | Promise<Checked>,
  options: Partial<CheckOptions> = {},
) {
  const observer = recorder();
  const answer = createCheckBytes({
    engine: { check },
    observer,
    maxWaiting: 10,
    clock: { monotonicMs: () => 1000 },
    newDecisionId: () => 'd-door',
    ...options,
  });
  return { answer, seen: observer.seen };
}

/** Outcome, HTTP status and decision id of an answer. */
function told(bytes: Uint8Array): readonly unknown[] {
  const { status, denied_response } = decodeResponse(bytes);
  const id = denied_response?.headers.find(({ header }) => header.key === 'x-postern-decision-id')?.header.value;
  return [status?.code, denied_response?.status?.code, id];
}

const MALFORMED = [REASONS.malformed_request.grpc, 'BadRequest', 'd-door'];
const INTERNAL = [REASONS.internal.grpc, 'InternalServerError', 'd-door'];
const UNAVAILABLE = [REASONS.deadline.grpc, 'ServiceUnavailable', 'd-door'];
const LAST_RESORT = [REASONS.internal.grpc, 'InternalServerError', undefined];

const reasonsOf = (seen: readonly Seen[]) => seen.map(([, checked]) => checked?.decision.reason);
const never = (): Promise<Checked> => new Promise(() => undefined);
const stopClock = (t: TestContext): void => t.mock.timers.enable({ apis: ['setTimeout'] });

describe('createCheckBytes()', () => {
  it('decides nothing while what is known may not answer, and refuses: with 503 where Envoy must not make it up', () => {
    let now: 'stale_snapshot' | 'no_snapshot' = 'stale_snapshot';
    const { answer, seen } = aCheck(() => ALLOWED, { notNow: () => ({ reason: now }) });
    const bytes = answer(REQUEST, CALL);
    assert.ok(!(bytes instanceof Promise));
    assert.deepEqual(told(bytes), UNAVAILABLE);
    now = 'no_snapshot';
    const first = answer(REQUEST, CALL);
    assert.ok(!(first instanceof Promise));
    assert.equal(decodeResponse(first).error_response?.status?.code, 'ServiceUnavailable');
    assert.deepEqual(reasonsOf(seen), ['stale_snapshot', 'no_snapshot']);
  });

  it('refuses what it may not be known to answer: when asking that fails', () => {
    const notNow = (): never => {
      throw new Error('no clock');
    };
    const bytes = aCheck(() => ALLOWED, { notNow }).answer(REQUEST, CALL);
    assert.ok(!(bytes instanceof Promise));
    assert.deepEqual(told(bytes), LAST_RESORT);
  });

  it('answers at once what is decided at once, and observes it', () => {
    const { answer, seen } = aCheck(() => ALLOWED);
    const bytes = answer(REQUEST, CALL);
    assert.ok(!(bytes instanceof Promise));
    assert.deepEqual(told(bytes), [0, undefined, undefined]);
    assert.deepEqual(reasonsOf(seen), ['allowed']);
    assert.equal(seen[0]?.[0]?.host, 'orders.example.org');
  });

  it('answers later what is decided later', async () => {
    const { answer, seen } = aCheck(async () => ALLOWED);
    assert.deepEqual(told(await answer(REQUEST, CALL)), [0, undefined, undefined]);
    assert.deepEqual(reasonsOf(seen), ['allowed']);
  });

  it('tells the engine of the caller, with a little less time than the caller gives', () => {
    let call: CheckCall | undefined;
    const { answer } = aCheck((_request, given) => {
      call = given;
      return ALLOWED;
    });
    void answer(REQUEST, { ...CALL, deadlineMs: 1200, isCancelled: () => true });
    assert.equal(call?.deadlineMs, 1190);
    assert.equal(call?.isCancelled(), true);
    assert.equal(call?.trace, NO_SPAN);
  });

  it('reads the trace from the request and from the metadata of the call', () => {
    const given: unknown[] = [];
    const begin: CheckOptions['observer']['begin'] = (headers, metadata) => {
      given.push(headers, metadata);
      return { span: NO_SPAN, startMs: 0 };
    };
    const observer = { ...recorder(), begin };
    const metadata = { get: () => ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'] };
    void aCheck(() => ALLOWED, { observer }).answer(REQUEST, { ...CALL, metadata });
    assert.deepEqual((given[0] as Attributes['headers']).get('accept'), ['*/*']);
    assert.equal(given[1], metadata);
  });

  for (const [what, bytes] of [
    ['bytes that are no message', Uint8Array.of(0x0a, 0xff)],
    ['route metadata that cannot be read', encodeRequest({ attributes: { route_metadata_context: {} } })],
    ['an empty message', new Uint8Array()],
    ['a connection without HTTP', encodeRequest({ attributes: { source: {}, request: { time: { seconds: 1 } } } })],
  ] as const) {
    it(`refuses ${what}, whatever the engine would say`, async () => {
      const broken = what.startsWith('route')
        ? Buffer.concat([bytes, Buffer.from([0x0a, 0x04, 0x6a, 0x02, 0x0a, 0x7f])])
        : bytes;
      const { answer, seen } = aCheck(() => ALLOWED);
      assert.deepEqual(told(await answer(broken, CALL)), MALFORMED);
      assert.deepEqual(reasonsOf(seen), ['malformed_request']);
    });
  }

  it('answers 500, and shows nothing of the cause, when the engine throws', async () => {
    const { answer, seen } = aCheck(() => {
      throw new Error('a secret of ours');
    });
    const bytes = await answer(REQUEST, CALL);
    assert.deepEqual(told(bytes), INTERNAL);
    assert.ok(!Buffer.from(bytes).includes('secret'));
    assert.match(seen[0]?.[1]?.decision.refusal?.cause ?? '', /a secret of ours/);
  });

  it('answers 500 when the engine rejects', async () => {
    const { answer, seen } = aCheck(() => Promise.reject(new Error('no')));
    assert.deepEqual(told(await answer(REQUEST, CALL)), INTERNAL);
    assert.deepEqual(reasonsOf(seen), ['internal']);
  });

  it('leaves no rejection alone when the clock or the caller fails while a decision is waited for', async () => {
    const boom = (): never => {
      throw new Error('no');
    };
    const engine = () => Promise.resolve().then(boom);
    const { answer } = aCheck(engine, { clock: { monotonicMs: boom }, maxWaiting: 1 });
    assert.deepEqual(told(await answer(REQUEST, { ...CALL, deadlineMs: 1 })), INTERNAL);
    assert.deepEqual(told(await answer(REQUEST, { ...CALL, onCancel: boom })), INTERNAL);
    // Their places are free again.
    assert.deepEqual(told(await answer(REQUEST, CALL)), INTERNAL);
  });

  it('answers 503 before the caller stops waiting when the engine hangs', async (t) => {
    stopClock(t);
    const { answer, seen } = aCheck(never);
    const pending = answer(REQUEST, { ...CALL, deadlineMs: 1200 });
    t.mock.timers.tick(194);
    assert.deepEqual(seen, []);
    t.mock.timers.tick(1);
    assert.deepEqual(told(await pending), UNAVAILABLE);
    assert.deepEqual(reasonsOf(seen), ['deadline']);
  });

  it('answers 503 in the end when the engine hangs and the caller would wait for ever', async (t) => {
    stopClock(t);
    const pending = aCheck(never).answer(REQUEST, CALL);
    t.mock.timers.tick(30_000);
    assert.deepEqual(told(await pending), UNAVAILABLE);
  });

  it('answers and observes once when a decision comes too late', async (t) => {
    stopClock(t);
    const late = Promise.withResolvers<Checked>();
    const { answer, seen } = aCheck(() => late.promise);
    const pending = answer(REQUEST, { ...CALL, deadlineMs: 1100 });
    t.mock.timers.tick(95);
    late.resolve(ALLOWED);
    assert.deepEqual(told(await pending), UNAVAILABLE);
    assert.deepEqual(reasonsOf(seen), ['deadline']);
  });

  it('stops waiting when the caller goes away, and observes that with what was asked', async () => {
    const caller = new EventTarget();
    const { answer, seen } = aCheck(never, { maxWaiting: 1 });
    const onCancel = (listener: () => void): void => caller.addEventListener('gone', listener);
    const pending = answer(REQUEST, { ...CALL, onCancel });
    caller.dispatchEvent(new Event('gone'));
    assert.deepEqual(told(await pending), UNAVAILABLE);
    assert.deepEqual(
      seen.map(([asked, checked]) => [asked?.host, checked?.decision.reason, checked?.decision.refusal?.cause]),
      [['orders.example.org', 'deadline', 'the caller went away']],
    );
    // Its place is free again.
    assert.ok(answer(REQUEST, CALL) instanceof Promise);
  });

  it('refuses with 503 and Retry-After while too many checks wait, and goes on after them', async () => {
    const first = Promise.withResolvers<Checked>();
    const { answer } = aCheck(() => first.promise, { maxWaiting: 1 });
    const pending = answer(REQUEST, CALL);
    const refused = decodeResponse(await answer(REQUEST, CALL));
    assert.equal(refused.denied_response?.status?.code, 'ServiceUnavailable');
    assert.ok(
      refused.denied_response?.headers.some(({ header }) => header.key === 'retry-after' && header.value === '1'),
    );
    first.resolve(ALLOWED);
    assert.equal(decodeResponse(await pending).status?.code, 0);
    assert.equal(decodeResponse(await answer(REQUEST, CALL)).status?.code, 0);
  });

  it('goes on answering what waits for nothing while too many checks wait', async () => {
    const first = Promise.withResolvers<Checked>();
    const decisions: (Checked | Promise<Checked>)[] = [first.promise, ALLOWED];
    const { answer, seen } = aCheck(() => decisions.shift() ?? ALLOWED, { maxWaiting: 1 });
    const pending = answer(REQUEST, CALL);
    assert.deepEqual(told(await answer(REQUEST, CALL)), [0, undefined, undefined]);
    first.resolve(ALLOWED);
    await pending;
    assert.deepEqual(reasonsOf(seen), ['allowed', 'allowed']);
  });

  it('takes no harm from what becomes later of a check that was one too many', async () => {
    const late = [Promise.withResolvers<Checked>(), Promise.withResolvers<Checked>()];
    const { answer, seen } = aCheck(() => late.shift()?.promise ?? never(), { maxWaiting: 0 });
    const [allowed, failed] = late;
    const answers = [await answer(REQUEST, CALL), await answer(REQUEST, CALL)];
    allowed?.resolve(ALLOWED);
    failed?.reject(new Error('no'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(answers.map(told), [UNAVAILABLE, UNAVAILABLE]);
    assert.deepEqual(reasonsOf(seen), ['overloaded', 'overloaded']);
  });

  it('observes what it sends: a refusal where an allow could not leave', async () => {
    const edits = {
      ...aDecision('allowed').edits,
      requestHeaders: [{ name: 'x', value: 'a\r\nb', action: 'Set' } as const],
    };
    const { answer, seen } = aCheck(() => ({ ...ALLOWED, decision: aDecision('allowed', { edits }) }));
    assert.equal(decodeResponse(await answer(REQUEST, CALL)).denied_response?.status?.code, 'InternalServerError');
    assert.deepEqual(reasonsOf(seen), ['internal']);
  });

  it('refuses what has no decision in it', async () => {
    const { answer, seen } = aCheck(() => ({}) as Checked);
    assert.deepEqual(told(await answer(REQUEST, CALL)), LAST_RESORT);
    assert.deepEqual(reasonsOf(seen), ['internal']);
  });

  it('refuses when even the observer throws', async () => {
    const broken = (): never => {
      throw new Error('no');
    };
    for (const observer of [
      { ...recorder(), begin: broken },
      { ...recorder(), finish: broken },
    ]) {
      for (const check of [() => ALLOWED, async () => ALLOWED]) {
        assert.deepEqual(told(await aCheck(check, { observer }).answer(REQUEST, CALL)), LAST_RESORT);
      }
    }
  });

  it('answers its own refusals to gRPC callers in their way', async () => {
    const http = { ...A_REQUEST.attributes.request.http, headers: { 'content-type': 'application/grpc' } };
    const { answer } = aCheck(never, { maxWaiting: 0 });
    const { denied_response } = decodeResponse(
      await answer(encodeRequest({ attributes: { request: { http } } }), CALL),
    );
    assert.equal(denied_response?.body, '');
    assert.ok(denied_response?.headers.some(({ header }) => header.key === 'grpc-status' && header.value === '14'));
  });
});
