import { MemoryStore } from '../../internal/counters/memory-store.ts';
import type { CounterState, CounterStore } from '../../internal/phases/ratelimit/counter-store.ts';
import { AT_ONCE, EVERY, type Fault, type FaultCase, failing, put } from './fault.ts';

const working = (): CounterStore => new MemoryStore({ maxKeys: 1000, onEvict: () => undefined });

/** A store whose takes fail; what was taken is given back to nobody. */
const failingStore = (fault: Fault): CounterStore => ({ take: failing(fault), giveBack: () => undefined });

/** A store that answers, now or later, for fewer counters than it was asked about. */
const forgetful = (isLater: boolean): CounterStore => ({
  take: () => (isLater ? Promise.resolve([]) : []),
  giveBack: () => undefined,
});

/** A store that works, but has to be waited for. */
function slow(): CounterStore {
  const store = working();
  return {
    take: async (takes, moment): Promise<readonly CounterState[]> => store.take(takes, moment),
    giveBack: (takes, moment) => store.giveBack(takes, moment),
  };
}

/** A limit that counts here beside one that is shared, and none in Audit. */
const beside = (policies: string): string =>
  policies.replace(/^ {4}- \{name: tried.*$/m, '').replace(/^ {4}- \{name: late,.*$/m, (late) => {
    const here = late.replace('{name: late,', '{name: here, store: Local,');
    return `${late}\n${here}`;
  });

const localShare = (policies: string): string => policies.replaceAll('onFault: Deny', 'onFault: LocalShare');

const stores: FaultCase[] = [
  ...put({
    at: 'counter store',
    faults: EVERY,
    becomes: 503,
    parts: (fault) => ({ store: failingStore(fault), localStore: working() }),
  }),
  ...[true, false].flatMap((isLater) =>
    put({
      at: 'counter store forgets',
      faults: ['nothing'],
      becomes: 503,
      parts: () => ({ store: forgetful(isLater), localStore: working() }),
    }),
  ),
  ...put({
    at: 'eviction of a counter',
    faults: AT_ONCE,
    becomes: 503,
    parts: (fault) => ({ store: new MemoryStore({ maxKeys: 1, onEvict: failing(fault) }), localStore: working() }),
  }),
  // The shared store rejects, so `LocalShare` asks the local one, which fails too.
  ...put({
    at: 'local store after the shared one',
    faults: EVERY,
    becomes: 500,
    but: { hangs: 503, nothing: 503 },
    parts: (fault) => ({
      edit: (policies) => localShare(policies).replace(/^ {4}- \{name: tried.*$/m, ''),
      store: failingStore('rejects'),
      localStore: failingStore(fault),
    }),
  }),
  ...put({
    at: 'shared store beside a local limit',
    faults: EVERY,
    becomes: 503,
    parts: (fault) => ({ edit: beside, store: failingStore(fault), localStore: slow() }),
  }),
  ...put({
    at: 'local store beside a shared limit',
    faults: EVERY,
    becomes: 503,
    parts: (fault) => ({ edit: beside, store: slow(), localStore: failingStore(fault) }),
  }),
  // A limit in Audit counts in the local store; what it would say is waited for no longer than a check may take.
  ...put({
    at: 'local store of an audited limit',
    faults: EVERY,
    asks: 'wrong',
    becomes: 401,
    but: { hangs: 503 },
    parts: (fault) => ({ edit: early, store: slow(), localStore: failingStore(fault) }),
  }),
];

/** The audited limit is judged before anybody is authenticated. */
const early = (policies: string): string =>
  policies.replace('{name: tried, stage: AfterAuthentication', '{name: tried, stage: BeforeAuthentication');

/** What was taken and cannot be given back stays taken: a refusal stays one. */
const settlements: FaultCase[] = put({
  at: 'give back',
  faults: EVERY,
  asks: 'wrong',
  becomes: 401,
  parts: (fault) => {
    const store = working();
    return {
      edit: (policies) => policies.replaceAll('onFault: Deny', 'onFault: Deny, countDenied: false'),
      store: { take: (takes, moment) => store.take(takes, moment), giveBack: failing(fault) },
    };
  },
});

export const LIMIT_FAULTS: readonly FaultCase[] = [...stores, ...settlements];
