import { randomUUID } from 'node:crypto';
import type { Attributes } from '../core/attributes.ts';
import type { Decision } from '../core/decision.ts';
import type { ReasonName } from '../core/reasons.ts';
import { NO_EDITS } from '../policy/edits.ts';
import type { Checked, Engine } from '../policy/evaluate.ts';
import type { Observation, Observer } from '../telemetry/observer.ts';
import type { Carrier } from '../telemetry/tracing.ts';
import { readCheckRequest } from './read-check.ts';
import { writeCheckResponse } from './write-check.ts';

/** What a transport knows of a call besides its bytes. */
export interface DoorCall {
  /** Monotonic milliseconds at which the caller stops waiting; undefined when it did not say. */
  readonly deadlineMs: number | undefined;
  /** True once the caller has gone away. */
  readonly isCancelled: () => boolean;
  /** The call's own metadata, read for `traceparent` alone. */
  readonly metadata: Carrier | undefined;
}

/** The port of every transport: a CheckRequest's bytes in, a CheckResponse's bytes out. Never throws, never rejects. */
export type CheckBytes = (bytes: Uint8Array, call: DoorCall) => Buffer | Promise<Buffer>;

export interface CheckOptions {
  readonly engine: Engine;
  readonly observer: Observer;
  /** Checks that may wait at the same time; more are refused as `overloaded`. */
  readonly maxWaiting: number;
}

export function createCheckBytes({ engine, observer, maxWaiting }: CheckOptions): CheckBytes {
  let waiting = 0;
  const answer = (checked: Checked, watched: Watched): Buffer => {
    try {
      return writeCheckResponse(checked.decision);
    } finally {
      observer.finish(watched.observation, watched.attributes, checked);
    }
  };
  const later = async (pending: Promise<Checked>, watched: Watched): Promise<Buffer> => {
    waiting += 1;
    try {
      return answer(await pending, watched);
    } finally {
      waiting -= 1;
    }
  };
  return (bytes, call) => {
    const attributes = readOrUndefined(bytes);
    const observation = observer.begin(attributes?.headers, call.metadata);
    const watched = { observation, attributes };
    if (attributes === undefined) return answer(refused('malformed_request'), watched);
    if (waiting >= maxWaiting) return answer(refused('overloaded', 1), watched);
    const checked = engine.check(attributes, { deadlineMs: call.deadlineMs, isCancelled: call.isCancelled, trace: observation.span });
    return checked instanceof Promise ? later(checked, watched) : answer(checked, watched);
  };
}

interface Watched {
  readonly observation: Observation;
  readonly attributes: Attributes | undefined;
}

function readOrUndefined(bytes: Uint8Array): Attributes | undefined {
  try {
    const attributes = readCheckRequest(bytes);
    // Metadata is read later and lazily; what cannot be read is found out here, where it is the message's fault.
    attributes.routeMetadata();
    return attributes;
  } catch {
    return undefined;
  }
}

/** A refusal that is made before there is anything to decide on. */
function refused(reason: Extract<ReasonName, 'malformed_request' | 'overloaded'>, retryAfterS?: number): Checked {
  const decision: Decision = {
    outcome: reason === 'overloaded' ? 'fault' : 'deny',
    reason,
    decisionId: randomUUID(),
    policy: undefined,
    refusal: retryAfterS === undefined ? { reason } : { reason, retryAfterS },
    findings: [],
    edits: NO_EDITS,
    answerHeaders: [],
    isGrpc: false,
  };
  return { decision, request: undefined, policy: undefined, evaluation: undefined };
}
