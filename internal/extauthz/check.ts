import { isGrpc } from '../core/canonicalize.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Decision, Refusal } from '../core/decision.ts';
import { createDecisionIds } from '../core/decision-id.ts';
import { GONE, LATE, unforeseen } from '../core/faults.ts';
import type { CheckCall, Checked, CheckTrace } from '../policy/checked.ts';
import { refusedBefore } from '../policy/refused.ts';
import type { Observation, Observer } from '../telemetry/observer.ts';
import type { NamedValues } from '../telemetry/tracing.ts';
import { forEnvoy } from './envoy-edits.ts';
import { type CheckRequest, readCheckRequest, type Sendable, sendable, writeSendable } from './wire.ts';

/** What a transport knows of a call besides its bytes. */
export interface DoorCall {
  /** Monotonic milliseconds at which the caller stops waiting; undefined when it did not say. */
  readonly deadlineMs: number | undefined;
  /** True once the caller has gone away. */
  isCancelled(): boolean;
  /** Asks to be told when the caller goes away; told once more, or for the first time, when the call is over. */
  readonly onCancel?: (listener: () => void) => void;
  /** The call's own metadata, read for `traceparent` alone. */
  readonly metadata: NamedValues | undefined;
}

/**
 * The port of every transport: a CheckRequest's bytes in, a CheckResponse's bytes out. Never throws, never rejects. The bytes
 * must not change before the answer is there, however long it takes: what a policy asks for is read from them then.
 */
export type CheckBytes = (bytes: Uint8Array, call: DoorCall) => Uint8Array | Promise<Uint8Array>;

/** What decides: the policy engine. */
export interface Decider {
  check(request: CheckRequest, call: CheckCall): Checked | Promise<Checked>;
}

export interface CheckOptions {
  readonly engine: Decider;
  readonly observer: Pick<Observer, 'begin' | 'finish'>;
  /** Checks that may wait at the same time; more are refused as `overloaded`. */
  readonly maxWaiting: number;
  /** Why no check may be answered by what is known now; asked by every check. */
  readonly notNow?: () => Refusal | undefined;
  readonly clock?: Pick<Clock, 'monotonicMs'>;
  /** Ids of the refusals made here. */
  readonly newDecisionId?: () => string;
}

/** How a door reads what it is asked and says what was decided: the bounds and the observing in between are the same. */
export interface Speech<Asked, Answer> {
  /** What is asked; undefined where it cannot be read. Never throws. */
  readonly read: (asked: Asked) => CheckRequest | undefined;
  /** Why what could be read is not even looked at. */
  readonly refusalOf: (request: CheckRequest) => Refusal | undefined;
  /** The decision with edits that whoever asks carries out as meant, or what takes its place. */
  readonly adapt: (decision: Decision, request: CheckRequest) => Decision;
  /** The door's one encoder. */
  readonly write: (decision: Sendable) => Answer;
}

/** The engine has so much less time than the caller gives: an answer that comes too late is Envoy's to make up. */
const EARLY_MS = 10;
/** And what the engine has not answered by then is answered for it. */
const LAST_MOMENT_MS = 5;
/** The same where the caller gives no deadline: longer than any `--check-timeout`, so only for what hangs. */
const HANG_MS = 30_000;

const OVERLOADED: Refusal = Object.freeze({ reason: 'overloaded', retryAfterS: 1 });
const MALFORMED: Refusal = Object.freeze({ reason: 'malformed_request' });
const NOT_HTTP: Refusal = Object.freeze({ reason: 'malformed_request', cause: 'the check has no HTTP request' });

const IN_PROTOBUF: Speech<Uint8Array, Uint8Array> = {
  read: readOrUndefined,
  refusalOf: (request) => (request.hasHttp ? undefined : NOT_HTTP),
  adapt: forEnvoy,
  write: writeSendable,
};

/** Bytes to a decision and back: see `Checker`. */
export function createCheckBytes(options: CheckOptions): CheckBytes {
  const checker = new Checker(options, IN_PROTOBUF);
  return (bytes, call) => checker.check(bytes, call);
}

interface Watched {
  readonly observation: Observation;
  readonly request: CheckRequest | undefined;
}

/**
 * What is asked to a decision, and the decision to an answer. Whatever happens, a refusal is answered: what cannot be
 * read 400, over capacity and too late 503, what nobody foresaw 500. Everything is observed, whatever became of it.
 */
export class Checker<Asked, Answer> {
  readonly #speech: Speech<Asked, Answer>;
  /** What is left to say when saying anything else failed: a refusal without an id. */
  readonly #lastResort: Answer;
  readonly #engine: Decider;
  readonly #observer: CheckOptions['observer'];
  readonly #maxWaiting: number;
  readonly #notNow: () => Refusal | undefined;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #newDecisionId: () => string;
  /** Checks whose decision is not there yet. */
  #waiting = 0;

  constructor(options: CheckOptions, speech: Speech<Asked, Answer>) {
    this.#speech = speech;
    this.#lastResort = speech.write(sendable(refused({ reason: 'internal' }, undefined, '').decision));
    this.#engine = options.engine;
    this.#observer = options.observer;
    this.#maxWaiting = options.maxWaiting;
    this.#notNow = options.notNow ?? ((): undefined => undefined);
    this.#clock = options.clock ?? systemClock;
    this.#newDecisionId = options.newDecisionId ?? createDecisionIds();
  }

  /** Never throws, never rejects. */
  check(asked: Asked, call: DoorCall): Answer | Promise<Answer> {
    try {
      const request = this.#speech.read(asked);
      const watched: Watched = { observation: this.#observer.begin(request?.headers, call.metadata), request };
      const refusal = (request === undefined ? MALFORMED : this.#speech.refusalOf(request)) ?? this.#notNow();
      if (request === undefined || refusal !== undefined) return this.#refuse(refusal ?? MALFORMED, watched);
      const checked = this.#decide(request, call, watched);
      return checked instanceof Promise ? this.#later(checked, call, watched) : this.#answer(checked, watched);
    } catch {
      return this.#lastResort;
    }
  }

  #decide(request: CheckRequest, call: DoorCall, { observation }: Watched): Checked | Promise<Checked> {
    try {
      return this.#engine.check(request, new ObservedCall(call, observation));
    } catch (error) {
      return refused(unforeseen(error), request, this.#newDecisionId());
    }
  }

  /**
   * Waits for a decision: until it is there, time is up, or the caller has gone away, whichever comes first. Only here is
   * there a bound: a dependency that hangs must not refuse checks that wait for nothing.
   */
  #later(pending: Promise<Checked>, call: DoorCall, watched: Watched): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    let isSettled = false;
    let timer: NodeJS.Timeout | undefined;
    const settle = (answer: () => Answer): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      this.#waiting -= 1;
      try {
        resolve(answer());
      } catch {
        resolve(this.#lastResort);
      }
    };
    this.#waiting += 1;
    // First of all: whatever fails below, nobody's rejection is left alone.
    pending.then(
      (checked) => settle(() => this.#answer(checked, watched)),
      (error: unknown) => settle(() => this.#refuse(unforeseen(error), watched)),
    );
    if (this.#waiting > this.#maxWaiting) {
      settle(() => this.#refuse(OVERLOADED, watched));
      return promise;
    }
    try {
      timer = setTimeout(() => settle(() => this.#refuse(LATE, watched)), this.#patienceMs(call));
      timer.unref();
      call.onCancel?.(() => settle(() => this.#refuse(GONE, watched)));
    } catch (error) {
      settle(() => this.#refuse(unforeseen(error), watched));
    }
    return promise;
  }

  #patienceMs({ deadlineMs }: DoorCall): number {
    if (deadlineMs === undefined) return HANG_MS;
    return Math.min(HANG_MS, Math.max(0, deadlineMs - LAST_MOMENT_MS - this.#clock.monotonicMs()));
  }

  #refuse(refusal: Refusal, watched: Watched): Answer {
    return this.#answer(refused(refusal, watched.request, this.#newDecisionId()), watched);
  }

  #answer(checked: Checked, { observation, request }: Watched): Answer {
    let sent = checked;
    try {
      const meant = request === undefined ? checked.decision : this.#speech.adapt(checked.decision, request);
      const decision: Sendable = sendable(meant);
      if (decision !== checked.decision) sent = { ...checked, decision };
      return this.#speech.write(decision);
    } catch (error) {
      sent = refused(unforeseen(error), request, '');
      return this.#lastResort;
    } finally {
      this.#observer.finish(observation, request, sent);
    }
  }
}

/** A call as the engine sees it. */
class ObservedCall implements CheckCall {
  readonly deadlineMs: number | undefined;
  readonly trace: CheckTrace;
  readonly #call: DoorCall;

  constructor(call: DoorCall, { span }: Observation) {
    this.deadlineMs = call.deadlineMs === undefined ? undefined : call.deadlineMs - EARLY_MS;
    this.trace = span;
    this.#call = call;
  }

  isCancelled(): boolean {
    return this.#call.isCancelled();
  }
}

function readOrUndefined(bytes: Uint8Array): CheckRequest | undefined {
  try {
    const request = readCheckRequest(bytes);
    // Every check asks for it; what cannot be read is found out here, where it is the message's fault.
    request.routeMetadata();
    return request;
  } catch {
    return undefined;
  }
}

function refused(refusal: Refusal, request: CheckRequest | undefined, decisionId: string): Checked {
  return refusedBefore(refusal, { decisionId, isGrpc: request !== undefined && isGrpc(request) });
}
