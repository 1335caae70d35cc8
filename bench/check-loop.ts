// Checks in this process, one after the other, with everything but a door: what a check costs besides its transport.
import { BlockList } from 'node:net';
import { systemClock } from '../internal/core/clock.ts';
import { createDecisionIds } from '../internal/core/decision-id.ts';
import { MemoryStore } from '../internal/counters/memory-store.ts';
import { type CheckBytes, createCheckBytes, type DoorCall } from '../internal/extauthz/check.ts';
import { parseFile } from '../internal/files/parse-file.ts';
import { createKeySources } from '../internal/keys/key-sources.ts';
import { NOTHING_FORBIDDEN, OutboundClient } from '../internal/keys/outbound.ts';
import { createTokenCache } from '../internal/phases/authn/jwt.ts';
import { createRateLimitPorts } from '../internal/phases/ratelimit/ratelimit.ts';
import { Engine } from '../internal/policy/evaluate.ts';
import { knowledgeOf } from '../internal/policy/knowledge.ts';
import { secretLookup } from '../internal/policy/offered-secret.ts';
import { type Build, PolicyStore } from '../internal/policy/store.ts';
import { Metrics } from '../internal/telemetry/metrics.ts';
import { Observer } from '../internal/telemetry/observer.ts';
import { TRACING_OFF } from '../internal/telemetry/tracing.ts';
import { decodeCheck } from '../test/door/client.ts';
import { BENCH_ID } from './bench-id.ts';
import { API_KEY, apiKeyPolicies, jwtPolicies, message } from './policies.ts';

interface Load {
  readonly yaml: string;
  readonly messages: readonly Buffer[];
  /** Of every answer. */
  readonly code: number;
}

const WARM_CHECKS = 60_000;
const DISTINCT = 10_000;
const MANY = 10_000;
const KEY = { 'x-api-key': API_KEY };
const OK = 0;
const UNAUTHENTICATED = 16;

const messagesTo = (hosts: number, headers: Readonly<Record<string, string>>): readonly Buffer[] =>
  Array.from({ length: DISTINCT }, (_, index) => message(`h${index % hosts}.example.org`, headers));

export const LOADS = {
  apikey: async () => ({ yaml: apiKeyPolicies(1), messages: messagesTo(1, KEY), code: OK }),
  policies: async () => ({ yaml: apiKeyPolicies(MANY), messages: messagesTo(MANY, KEY), code: OK }),
  refused: async () => ({
    yaml: apiKeyPolicies(1),
    messages: messagesTo(1, { 'x-api-key': 'a-key-that-nobody-has-0123456789' }),
    code: UNAUTHENTICATED,
  }),
  async jwt() {
    const { yaml, token } = await jwtPolicies();
    return { yaml, messages: messagesTo(1, { authorization: `Bearer ${token}` }), code: OK };
  },
} satisfies Readonly<Record<string, () => Promise<Load>>>;
export type LoadName = keyof typeof LOADS;

const CALL: DoorCall = { deadlineMs: undefined, isCancelled: () => false, metadata: undefined };

/** The agent without doors and files, as `internal/app/agent.ts` wires it. */
async function checkerOf(yaml: string): Promise<CheckBytes> {
  const edge = {
    clientAddress: { kind: 'direct' },
    bodiesForwarded: false,
    transportTls: false,
    trustContextExtensions: true,
  } as const;
  const metrics = new Metrics({ version: 'bench', process: false, isStandalone: true });
  const client = new OutboundClient({ isRelaxed: true, allowed: new BlockList(), forbidden: NOTHING_FORBIDDEN });
  const clock = systemClock;
  const { promise, resolve, reject } = Promise.withResolvers<Build>();
  const store = new PolicyStore({
    ports: {
      keySources: createKeySources({ client, clock, random: Math.random, observe: () => undefined }),
      tokens: createTokenCache(),
      limits: createRateLimitPorts(new MemoryStore({ maxKeys: 1_000_000, onEvict: () => undefined })),
      knows: knowledgeOf(edge),
    },
    clusterIssuer: undefined,
    className: 'postern',
    hostGrants: 'first-come',
    secrets: () => secretLookup(() => 'absent'),
    clock,
    onBuild: resolve,
    onFailure: reject,
  });
  // A file has a bound; ten thousand policies are several.
  const documents = yaml.split('\n---\n');
  for (let at = 0; at < documents.length; at += 1000) {
    for (const { object } of parseFile('bench.yaml', documents.slice(at, at + 1000).join('\n---\n')).objects)
      store.apply(object);
  }
  store.complete();
  const { snapshot } = await promise;
  metrics.setPolicies(snapshot.named);
  const engine = new Engine(() => store.current, {
    edge,
    unmatched: 'deny',
    routeMetadata: 'optional',
    checkTimeoutMs: 1000,
    clock,
    newDecisionId: createDecisionIds(),
  });
  const log = {
    decision: () => undefined,
    error(text: string) {
      throw new Error(text);
    },
  };
  const observer = new Observer({ metrics, log, tracing: TRACING_OFF, clock, random: Math.random });
  return createCheckBytes({ engine, observer, maxWaiting: 1000 });
}

/** Runs so many more checks, one after the other. */
export type CheckLoop = (checks: number) => Promise<void>;

/** @returns once what it runs is known to answer as it should, and is as quick as it gets */
export async function startCheckLoop(name: LoadName): Promise<CheckLoop> {
  const load = await LOADS[name]();
  const check = await checkerOf(load.yaml);
  const bodies = load.messages.map((bytes) => ({ bytes, idAt: bytes.indexOf(BENCH_ID) }));
  let next = 0;
  const ask = (): ReturnType<CheckBytes> => {
    next += 1;
    const body = bodies[next % bodies.length];
    if (body === undefined) throw new Error('There is nothing to ask');
    // Each with an id of its own: the same check twice would be a retry, which takes no limit.
    let rest = next;
    for (let at = body.idAt + BENCH_ID.length - 1; rest > 0; at -= 1) {
      body.bytes[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    return check(body.bytes, CALL);
  };
  const mustAnswer = async (): Promise<void> => {
    const code = decodeCheck(Buffer.from(await ask())).status?.code ?? 0;
    if (code !== load.code) throw new Error(`The check that is to be measured answers ${code}`);
  };
  const run: CheckLoop = async (checks) => {
    for (let i = 0; i < checks; i += 1) {
      const answer = ask();
      // Only the first check of a token waits.
      if (answer instanceof Promise) await answer;
    }
    await mustAnswer();
  };
  await mustAnswer();
  await run(WARM_CHECKS);
  return run;
}
