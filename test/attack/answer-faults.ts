import { systemClock } from '../../internal/core/clock.ts';
import type { Decision } from '../../internal/core/decision.ts';
import type { Decider } from '../../internal/extauthz/check.ts';
import type { CheckRequest } from '../../internal/extauthz/wire.ts';
import type { Checked } from '../../internal/policy/checked.ts';
import type { Snapshot } from '../../internal/policy/snapshot.ts';
import { AT_ONCE, EVERY, type Fault, type FaultCase, failing, put } from './fault.ts';
import { type Asked, aWorld } from './fault-world.ts';

/** Clocks that stop answering at one of the times they are read, for checks that wait and those that do not. */
const clocks: FaultCase[] = [];
for (const asks of ['key', 'token'] as const) {
  for (let reads = 1; reads <= (await readsOf(asks)); reads += 1) {
    clocks.push(
      ...put({
        at: 'clock',
        faults: AT_ONCE,
        asks,
        becomes: 500,
        parts: (fault) => clockThat(fault, reads),
      }),
    );
  }
}

/** How often the clock is read for a check. */
async function readsOf(asks: Asked): Promise<number> {
  let reads = 0;
  const counted = (read: () => number) => (): number => {
    reads += 1;
    return read();
  };
  const world = await aWorld({
    clock: { wallMs: counted(systemClock.wallMs), monotonicMs: counted(systemClock.monotonicMs) },
    call: { deadlineMs: systemClock.monotonicMs() + 5000 },
  });
  await world.ask(asks);
  return reads;
}

function clockThat(fault: Fault, from: number) {
  let reads = 0;
  const until = (read: () => number) => (): number => {
    reads += 1;
    return reads >= from ? failing(fault)() : read();
  };
  return {
    clock: { wallMs: until(systemClock.wallMs), monotonicMs: until(systemClock.monotonicMs) },
    call: { deadlineMs: systemClock.monotonicMs() + 5000 },
  };
}

const ids: FaultCase[] = (['key', 'wrong'] as const).flatMap((asks) =>
  put({
    at: 'decision id',
    faults: AT_ONCE,
    asks,
    becomes: 500,
    parts: (fault) => ({ newDecisionId: failing(fault) }),
  }),
);

const WITHIN_MS = 60;
const soon = () => ({ deadlineMs: systemClock.monotonicMs() + WITHIN_MS });

/** The engine as the door sees it. */
const deciders: FaultCase[] = [
  ...put({
    at: 'decider',
    faults: EVERY,
    becomes: 500,
    but: { hangs: 503 },
    parts: (fault) => ({ engine: () => ({ check: failing(fault) }), ...(fault === 'hangs' && { call: soon() }) }),
  }),
  ...put({
    at: 'decider',
    faults: ['nothing'],
    becomes: 500,
    parts: () => ({ engine: () => ({ check: async () => ({}) as Checked }) }),
  }),
];

/** An engine whose decision cannot be read where the encoder needs it. */
const unreadable =
  (member: keyof Decision, fault: Fault) =>
  (engine: Decider): Decider => ({
    async check(request, call) {
      const checked = await engine.check(request, call);
      return { ...checked, decision: Object.defineProperty({ ...checked.decision }, member, { get: failing(fault) }) };
    },
  });

const encoded: readonly (readonly [Asked, readonly (keyof Decision)[]])[] = [
  ['key', ['outcome', 'reason', 'decisionId', 'policy', 'edits']],
  ['wrong', ['outcome', 'reason', 'decisionId', 'policy', 'refusal', 'answerHeaders', 'isGrpc']],
];
const encoders: FaultCase[] = encoded.flatMap(([asks, members]) =>
  members.flatMap((member) =>
    put({
      at: 'encoder',
      faults: AT_ONCE,
      asks,
      becomes: 500,
      // It tells neither of the policy nor in the form of gRPC.
      ...(asks === 'wrong' && (member === 'policy' || member === 'isGrpc') && { overHttp: 401 }),
      parts: (fault) => ({ engine: unreadable(member, fault) }),
    }),
  ),
);

/** What is read of the request while it is decided. */
const requests: FaultCase[] = (['headers', 'routeMetadata'] as const).flatMap((member) =>
  put({
    at: member === 'headers' ? 'header fields' : 'route metadata',
    faults: AT_ONCE,
    becomes: 500,
    parts: (fault) => ({ engine: reading(member, fault) }),
  }),
);

/** Every place where a policy can have an expression, each with one that reads what cannot be read. */
const READS = `"metadata['x'] == 'y'"`;
const EXPRESSIONS: Readonly<Record<string, readonly [RegExp, string]>> = {
  'an allow': [/"identity.kind == 'jwt'"/, `"metadata['x'] != 'y'"`],
  'a deny': [/"request.method == 'DELETE'"/, READS],
  "a limit's key": [/(?<=name: early.*)request.method/, READS],
  "a limit's cost": [/"1"/, `"metadata['x'] == 'y' ? 2 : 1"`],
  'a header': [/identity.kind(?=\}\}\])/, READS],
};
const expressions: FaultCase[] = Object.entries(EXPRESSIONS).flatMap(([what, [place, reads]]) =>
  put({
    at: `expression of ${what}`,
    faults: AT_ONCE,
    asks: 'token',
    becomes: 403,
    parts: (fault) => ({ edit: (policies) => policies.replace(place, reads), engine: reading('metadata', fault) }),
  }),
);

/** An engine that cannot read one part of its requests. */
const reading =
  (member: 'headers' | 'routeMetadata' | 'metadata', fault: Fault) =>
  (engine: Decider): Decider => ({
    check(request, call) {
      const fail = failing(fault);
      const value = member === 'headers' ? { get: fail, names: fail, isJoined: false } : fail;
      return engine.check(withMember(request, member, value), call);
    },
  });

/** The request itself, but for one member. */
function withMember(request: CheckRequest, member: keyof CheckRequest, value: unknown): CheckRequest {
  return new Proxy(request, {
    get(target, name) {
      const found: unknown = name === member ? value : Reflect.get(target, name, target);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

/** Envoy names the policy, so that it is looked up by its name. */
const NAMED = new Map([['postern.dev/policy', 'default/api']]);

/** The tables that a check is looked up in. */
const snapshots: FaultCase[] = [
  ...put({ at: 'snapshot', faults: AT_ONCE, becomes: 500, parts: (fault) => ({ snapshot: failing(fault) }) }),
  ...put({ at: 'snapshot', faults: ['nothing'], becomes: 503, parts: (fault) => ({ snapshot: failing(fault) }) }),
  ...(['hosts', 'namespaces'] as const).flatMap((table) =>
    put({
      at: 'snapshot',
      faults: AT_ONCE,
      becomes: 500,
      parts: (fault) => ({
        snapshot: (snapshot): Snapshot => ({ ...snapshot, [table]: { find: failing(fault), get: failing(fault) } }),
      }),
    }),
  ),
  ...put({
    at: 'snapshot',
    faults: AT_ONCE,
    becomes: 500,
    parts: (fault) => ({
      engine: (engine) => ({
        check: (request, call) => engine.check(withMember(request, 'contextExtensions', NAMED), call),
      }),
      snapshot: (snapshot) => ({ ...snapshot, named: Object.assign(new Map(), { get: failing(fault) }) }),
    }),
  }),
  ...put({
    at: 'snapshot',
    faults: ['nothing'],
    becomes: 500,
    parts: () => ({ snapshot: (snapshot): Snapshot => ({ ...snapshot, namespaces: new Map() }) }),
  }),
];

export const ANSWER_FAULTS: readonly FaultCase[] = [
  ...clocks,
  ...ids,
  ...deciders,
  ...encoders,
  ...requests,
  ...expressions,
  ...snapshots,
];
