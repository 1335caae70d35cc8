import { setTimeout as delay } from 'node:timers/promises';
import type { HttpAnswer } from '../../internal/extauthz/http/write-answer.ts';
import { decodeCheck } from '../door/client.ts';
import { type Asked, aWorld, type Parts } from './fault-world.ts';

/** How something fails. `nothing`: it answers undefined, as an evaluator that returns too early does. */
export type Fault = 'throws' | 'throws nothing' | 'rejects' | 'rejects with nothing' | 'hangs' | 'nothing';

/** For what may wait: every way to fail. */
export const EVERY: readonly Fault[] = [
  'throws',
  'throws nothing',
  'rejects',
  'rejects with nothing',
  'hangs',
  'nothing',
];
/** For what may wait, and where answering nothing is an answer. */
export const NO_ANSWER: readonly Fault[] = EVERY.filter((fault) => fault !== 'nothing');
/** For what answers at once or never: the compiler refuses one that returns a promise. */
export const AT_ONCE: readonly Fault[] = ['throws', 'throws nothing'];

/**
 * A function of any type that fails in this way.
 *
 * @param isWaitedFor false where nobody looks at a promise, so that the injected one must not end the process
 */
export function failing(fault: Fault, isWaitedFor = true): () => never {
  return (): never => {
    if (fault === 'throws') throw new Error('injected');
    if (fault === 'throws nothing') throw undefined;
    if (fault === 'nothing') return undefined as never;
    if (fault === 'hangs') return new Promise(() => undefined) as never;
    const rejected = Promise.reject(fault === 'rejects' ? new Error('injected') : undefined);
    if (!isWaitedFor) rejected.catch(() => undefined);
    return rejected as never;
  };
}

/** What an Envoy makes of an answer: `allow`, the HTTP status of a refusal, a gRPC error, or nothing at all. */
export type Outcome = 'allow' | 'error' | 'no answer' | number;

/** One fault at one place, asked for one check. */
export interface FaultCase {
  /** The injection's name in the register. */
  readonly at: string;
  readonly fault: string;
  readonly becomes: Outcome;
  readonly run: () => Promise<Given>;
}

/** The bytes of an answer over gRPC, an answer over HTTP, or `error`. */
export type Given = Uint8Array | Pick<HttpAnswer, 'status'> | 'error';

const PATIENCE_MS = 5000;

/** Envoy's reading: code 0, no status and an empty message all let the request pass; of HTTP any 2xx, as nginx has it. */
export function readOutcome(answer: Given | undefined): Outcome {
  if (answer === 'error') return 'error';
  if (answer === undefined) return 'allow';
  if (!(answer instanceof Uint8Array)) return answer.status >= 200 && answer.status < 300 ? 'allow' : answer.status;
  const { status, denied_response, error_response } = decodeCheck(Buffer.from(answer));
  if ((status?.code ?? 0) === 0) return 'allow';
  return denied_response?.status?.code ?? error_response?.status?.code ?? 403;
}

/** What becomes of a check with this fault in it; one that is not answered in seconds never is. */
export async function outcomeOf({ run }: FaultCase): Promise<Outcome> {
  const given = new AbortController();
  const late = delay(PATIENCE_MS, 'no answer' as const, { signal: given.signal, ref: true }).catch(
    () => 'no answer' as const,
  );
  try {
    return await Promise.race([run().then(readOutcome), late]);
  } finally {
    given.abort();
  }
}

/** Time for a check that hangs; one that does not has so much that a busy machine cannot make it late. */
const SHORT_MS = 40;

export interface Put {
  readonly at: string;
  readonly faults: readonly Fault[];
  /** `key` unless given: a check that is allowed while nothing fails. */
  readonly asks?: Asked;
  /** What must come out, by default and for some of the faults. */
  readonly becomes: Outcome;
  readonly but?: Readonly<Partial<Record<Fault, Outcome>>>;
  /** The same over HTTP, where that door does not even read what fails. */
  readonly overHttp?: Outcome;
  /** The ports of a world with the fault in it. */
  readonly parts: (fault: Fault) => Parts;
}

/** One case for each fault and each door. Faults that hang end by `--check-timeout`, as 503. */
export function put({ at, faults, asks = 'key', becomes, but = {}, overHttp, parts }: Put): FaultCase[] {
  return faults.flatMap((fault) =>
    (['ask', 'askHttp'] as const).map((ask) => ({
      at,
      fault: `${fault}${asks === 'key' ? '' : ` (${asks})`}${ask === 'askHttp' ? ' over HTTP' : ''}`,
      becomes: (ask === 'askHttp' ? overHttp : undefined) ?? but[fault] ?? becomes,
      async run() {
        const timeout = fault === 'hangs' ? { checkTimeoutMs: SHORT_MS } : {};
        const world = await aWorld({ ...timeout, ...parts(fault) });
        return world[ask](asks);
      },
    })),
  );
}
