import type { Attributes } from '../core/attributes.ts';
import { canonicalize, type EdgeOptions, isGrpc, type Malformed } from '../core/canonicalize.ts';
import type { Clock } from '../core/clock.ts';
import type { Decision, Refusal } from '../core/decision.ts';
import { Evaluation, type NamespaceView, type StepResult } from '../core/evaluation.ts';
import { GONE, LATE, unforeseen } from '../core/faults.ts';
import { REASONS } from '../core/reasons.ts';
import type { Request } from '../core/request.ts';
import { evaluated, isStandIn } from './baselines/stand-in.ts';
import type { CheckCall, Checked } from './checked.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { planBeside } from './edit-plan.ts';
import { answerHeadersOf, editsOf, withAnswerHeaders, withOwn } from './edits.ts';
import { type OwnHeaders, withoutOwn } from './own-headers.ts';
import { type Known, refusalDecision, refusedBefore } from './refused.ts';
import { hasRepeatedMember, REPEATED_BODY, refuseRepeatedMember } from './repeated-member.ts';
import { routesOf } from './route-metadata.ts';
import { type SelectOptions, type SidecarPart, selectPolicy } from './select.ts';
import type { Selection } from './selection.ts';
import { settle } from './settle.ts';
import type { Snapshot } from './snapshot.ts';
import { judgeUnevaluated } from './unevaluated.ts';
import { withDeadline } from './wait.ts';

/** What the whole instance decides by, besides its policies. */
export interface EngineOptions {
  readonly edge: EdgeOptions;
  readonly unmatched: 'deny' | 'allow';
  readonly routeMetadata: 'optional' | 'required';
  /** Of a sidecar class; absent elsewhere. */
  readonly sidecar?: SidecarPart | undefined;
  readonly checkTimeoutMs: number;
  readonly clock: Clock;
  /** A new decision id: random, unguessable. */
  readonly newDecisionId: () => string;
}

const NOTHING: readonly never[] = Object.freeze([]);
const NO_NAMESPACE_PROBLEM = 'The snapshot has no namespace of the policy';
const UNDECIDED: Refusal = Object.freeze({ reason: 'undecided', cause: 'no step said who calls, or none let them in' });

/**
 * Decides checks from the current snapshot. The only place that makes an allow: a check starts undecided, which is a
 * refusal, and only the permit that a step of a policy leaves, or an explicit rule for what no policy governs, changes that.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #selecting: SelectOptions;
  readonly #current: () => Snapshot | undefined;

  /** @param current the snapshot to decide by; read once a check */
  constructor(current: () => Snapshot | undefined, options: EngineOptions) {
    this.#current = current;
    this.#options = options;
    const routeMetadataRequired = options.routeMetadata === 'required';
    this.#selecting = Object.freeze({ routeMetadataRequired, sidecar: options.sidecar });
  }

  /** Never throws and never rejects; whatever nobody foresaw is `internal`. */
  check(attributes: Attributes, call: CheckCall): Checked | Promise<Checked> {
    try {
      return this.#check(attributes, call);
    } catch (error) {
      return this.#plain(unforeseen(error), attributes);
    }
  }

  #check(attributes: Attributes, call: CheckCall): Checked | Promise<Checked> {
    const snapshot = this.#current();
    if (snapshot === undefined) return this.#plain({ reason: 'no_snapshot' }, attributes);
    const canonical = canonicalize(attributes, this.#options.edge);
    const { request, malformed } = canonical;
    const trusted = this.#options.edge.trustContextExtensions;
    const selection = selectPolicy(
      snapshot,
      {
        host: canonical.host,
        readings: request?.readings,
        policyName: trusted ? attributes.contextExtensions.get('postern.dev/policy') : undefined,
        routes: this.#options.sidecar === undefined ? routesOf(attributes) : undefined,
      },
      this.#selecting,
    );
    const unread = malformed ?? (selection.kind === 'unread' ? selection.unkept : undefined);
    if (request === undefined || unread !== undefined)
      return this.#unevaluated(selection, unread, { request: undefined, attributes });
    if (selection.kind !== 'policy') return this.#unevaluated(selection, undefined, { request, attributes });
    const namespace = snapshot.namespaces.get(selection.policy.ref.namespace);
    if (namespace === undefined) throw new Error(NO_NAMESPACE_PROBLEM);
    const { policy, own } = selection;
    return this.#run({ evaluation: this.#begin(selection, namespace, { request, call }), policy, own, call }, 0);
  }

  #begin(selection: Governing, namespace: NamespaceView, { request, call }: Asked): Evaluation {
    const { policy, params, otherParams } = selection;
    const { clock, checkTimeoutMs } = this.#options;
    const monotonicMs = clock.monotonicMs();
    const ownDeadlineMs = monotonicMs + checkTimeoutMs;
    return new Evaluation({
      request,
      policy: policy.ref,
      mode: policy.mode,
      namespace,
      wallMs: clock.wallMs(),
      monotonicMs,
      deadlineMs: Math.min(ownDeadlineMs, call.deadlineMs ?? ownDeadlineMs),
      params,
      otherParams,
      caseInsensitive: policy.target.pathOptions.caseInsensitive,
    });
  }

  /** Runs the steps from `from` on; goes asynchronous only behind a step that really waits. */
  #run(run: Run, from: number): Checked | Promise<Checked> {
    const { evaluation, policy } = run;
    const { trace } = run.call;
    try {
      for (let i = from; i < policy.steps.length; i += 1) {
        const row = policy.steps[i];
        if (row === undefined) continue;
        trace.startPhase(row.phase);
        const result = row.step(evaluation);
        if (result instanceof Promise) return this.#wait(run, result, i + 1);
        trace.endPhase();
        if (result !== undefined) return this.#refused(run, result);
      }
      return this.#allowed(run);
    } catch (error) {
      return this.#refused(run, unforeseen(error));
    }
  }

  async #wait(run: Run, pending: Promise<StepResult>, next: number): Promise<Checked> {
    const { clock } = this.#options;
    const { deadlineMs } = run.evaluation;
    try {
      const result = await withDeadline(pending, () => deadlineMs - clock.monotonicMs());
      run.call.trace.endPhase();
      if (result === 'late') return this.#refused(run, LATE);
      // However late: who resets a call while its credential is proved has guessed all the same.
      if (result !== undefined) return this.#refused(run, result);
      const late = this.#lateness(run);
      if (late !== undefined) return this.#refused(run, late);
    } catch (error) {
      return this.#refused(run, unforeseen(error));
    }
    return this.#run(run, next);
  }

  /** Why an answer would come too late. */
  #lateness({ evaluation, call }: Run): Refusal | undefined {
    if (this.#options.clock.monotonicMs() >= evaluation.deadlineMs) return LATE;
    return call.isCancelled() ? GONE : undefined;
  }

  /** The one place that turns a completed run into an allow. */
  #allowed(run: Run): Checked {
    const { evaluation, policy, own } = run;
    if (!isGranted(evaluation)) return this.#refused(run, UNDECIDED);
    const repeated = refuseRepeatedMember(policy, evaluation);
    if (repeated !== undefined) return this.#refused(run, repeated);
    const edits = isStandIn(policy)
      ? withoutOwn(own, evaluation.request.headers)
      : editsOf(planBeside(policy.edits, own), evaluation);
    if ('failed' in edits) return this.#refused(run, edits.failed);
    // Steps that did not wait can have taken long as well; one look at the clock behind all of them is enough.
    const late = this.#lateness(run);
    if (late !== undefined) return this.#refused(run, late);
    settle(evaluation, 'allow');
    const decision: Decision = {
      outcome: 'allow',
      reason: isStandIn(policy) ? 'unmatched' : evaluation.permit === 'public' ? 'public' : 'allowed',
      decisionId: this.#options.newDecisionId(),
      policy: evaluated(policy)?.ref,
      refusal: undefined,
      findings: evaluation.findings ?? NOTHING,
      edits: withAnswerHeaders(edits, evaluation.answerHeaders),
      answerHeaders: NOTHING,
      isGrpc: evaluation.request.isGrpc,
    };
    return { decision, request: evaluation.request, policy: evaluated(policy), evaluation };
  }

  #refused(run: Run, given: Refusal): Checked {
    const { evaluation, policy } = run;
    const refusal =
      given.reason === 'expression_error' && hasRepeatedMember(policy, evaluation) ? REPEATED_BODY : given;
    settle(evaluation, REASONS[refusal.reason].kind === 'fault' ? 'fault' : 'deny');
    const decision = refusalDecision(refusal, {
      decisionId: this.#options.newDecisionId(),
      policy: evaluated(policy)?.ref,
      findings: evaluation.findings ?? NOTHING,
      answerHeaders: withOwn(answerHeadersOf(policy.edits, evaluation), evaluation.answerHeaders ?? NOTHING),
      isGrpc: evaluation.request.isGrpc,
    });
    return { decision, request: evaluation.request, policy: evaluated(policy), evaluation };
  }

  /** A request to which no policy is applied: it passes only where the operator or Audit says so. */
  #unevaluated(selection: Selection, malformed: Malformed | undefined, { request, attributes }: Read): Checked {
    const policy = 'policy' in selection ? selection.policy : undefined;
    const passesUnmatched = this.#options.unmatched === 'allow';
    const verdict = judgeUnevaluated(selection, { malformed, headers: attributes.headers, passesUnmatched });
    if (!('edits' in verdict)) return this.#plain(verdict, attributes, { policy, request });
    const decision: Decision = {
      outcome: 'allow',
      reason: verdict.reason,
      decisionId: this.#options.newDecisionId(),
      policy: policy?.ref,
      refusal: undefined,
      findings: verdict.findings,
      edits: verdict.edits,
      answerHeaders: NOTHING,
      isGrpc: isGrpc(attributes),
    };
    return { decision, request, policy, evaluation: undefined };
  }

  /** A refusal without an evaluation behind it. */
  #plain(refusal: Refusal, attributes: Attributes, known: Pick<Known, 'policy' | 'request'> = {}): Checked {
    const decisionId = this.#options.newDecisionId();
    return refusedBefore(refusal, { ...known, decisionId, isGrpc: isGrpc(attributes) });
  }
}

interface Run {
  readonly evaluation: Evaluation;
  readonly policy: CompiledPolicy;
  /** Headers that are for policies of the host to set. */
  readonly own: OwnHeaders;
  readonly call: CheckCall;
}

type Governing = Extract<Selection, { kind: 'policy' }>;

interface Asked {
  readonly request: Request;
  readonly call: CheckCall;
}

interface Read {
  /** undefined where it has no one reading. */
  readonly request: Request | undefined;
  readonly attributes: Attributes;
}

/** Somebody said who calls, and somebody let them in: what no step refused is not yet granted. */
function isGranted({ knowsCaller, permit, mode }: Evaluation): boolean {
  return knowsCaller && permit !== undefined && (permit !== 'audit' || mode === 'Audit');
}
