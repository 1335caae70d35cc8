import type { Finding, HeaderEdit, PolicyRef, Refusal } from './decision.ts';
import type { ExpressionError } from './expression-error.ts';
import { type Identity, UNAUTHENTICATED } from './identity.ts';
import { MAX_ITERATIONS, MAX_WORK, type Meter } from './meter.ts';
import { REASONS } from './reasons.ts';
import type { Request } from './request.ts';
import type { StrictJson } from './strict-json.ts';

export type Mode = 'Enforce' | 'Audit';
export type Outcome = 'allow' | 'deny' | 'fault';

/**
 * What lets a check in: a rule, a public route, or Audit, under which goes on what no rule lets in. The step that grants
 * leaves it, so that none lets a check in by saying nothing.
 */
export type Permit = 'rule' | 'public' | 'audit';

/** What a step of a phase answers: nothing to go on, or a refusal. */
export type StepResult = Refusal | undefined;
/** One step of a phase, compiled. Synchronous unless it really waits for something outside. */
export type Step = (evaluation: Evaluation) => StepResult | Promise<StepResult>;

/** Most findings of Audit kept for one check. */
export const MAX_FINDINGS = 8;

/** Parameters of a path template: one segment's text by name. */
export type PathParams = ReadonlyMap<string, string>;

/**
 * The state of one check while it runs: what steps read, and what they leave for later steps. One object per check,
 * all fields set in the constructor so that its shape never changes.
 */
export class Evaluation implements Meter {
  readonly request: Request;
  readonly policy: PolicyRef;
  readonly mode: Mode;
  /** The namespace's live consumers and roles, of the snapshot this check began with. */
  readonly namespace: NamespaceView;
  /** Clock read once a check. */
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** Monotonic milliseconds at which the answer is due. */
  readonly deadlineMs: number;
  /** The policy's `pathOptions.caseInsensitive`. */
  readonly caseInsensitive: boolean;

  /** Parameters of the target's template by the kept reading of the path. */
  readonly targetParams: PathParams;
  /** The same by each other reading, in their order; mostly none. */
  readonly otherParams: readonly PathParams[];

  /** Nobody has proved anything before authentication. */
  identity: Identity = UNAUTHENTICATED;
  /** Authentication has said who calls: proved, let in as nobody, or in Audit not proved. */
  knowsCaller = false;
  permit: Permit | undefined = undefined;
  /** Parameters of the path template in scope: the rule's own while it is judged, else the target's. */
  params: PathParams;
  /** The reading of the path by which a rule is judged; undefined outside of rules, where all must agree. */
  reading: readonly string[] | undefined = undefined;
  /** Spellings of the path's other readings, made by the first rule that reads one. */
  otherPaths: readonly string[] | undefined = undefined;
  /** True when a public route lets the caller in without authentication. */
  isPublic = false;
  /** Carriers (header, query, cookie) from which the upstream must not see the credential. */
  credential: Credential | undefined = undefined;
  /** A credential was presented that no method can take: it is refused where the others are proved. */
  rejection: Refusal | undefined = undefined;
  findings: Finding[] | undefined = undefined;
  work = MAX_WORK;
  iterations = MAX_ITERATIONS;
  /** Members of headers that Envoy joined, split once each; unset until one holds a comma. */
  headerMembers: Map<string, readonly string[] | ExpressionError> | undefined = undefined;
  /** The body as JSON, parsed by the first rule that reads it. */
  parsedBody: StrictJson | undefined = undefined;
  /** RateLimit fields and the like, for whichever answer is given. */
  answerHeaders: readonly HeaderEdit[] | undefined = undefined;
  /** What has to be given back or settled once the decision stands, by the limits that took it. */
  settlements: ((outcome: Outcome) => void)[] | undefined = undefined;

  constructor(start: EvaluationStart) {
    this.request = start.request;
    this.policy = start.policy;
    this.mode = start.mode;
    this.namespace = start.namespace;
    this.wallMs = start.wallMs;
    this.monotonicMs = start.monotonicMs;
    this.deadlineMs = start.deadlineMs;
    this.caseInsensitive = start.caseInsensitive ?? false;
    this.targetParams = start.params;
    this.otherParams = start.otherParams;
    this.params = start.params;
  }

  /**
   * Parameters of the target's template by one reading of the path.
   *
   * @throws when the path has no such reading
   */
  targetParamsBy(reading: readonly string[]): PathParams {
    const { kept, others } = this.request.readings;
    const params = reading === kept ? this.targetParams : this.otherParams[others.indexOf(reading)];
    if (params === undefined) throw new Error('A reading of the path has no parameters');
    return params;
  }

  /** Expressions read the path in one way, with the parameters that it has there. */
  readAs(reading: readonly string[], params: PathParams): void {
    this.reading = reading;
    this.params = params;
  }

  /** Expressions read the path outside of rules again. */
  readAsTarget(): void {
    this.reading = undefined;
    this.params = this.targetParams;
  }

  /**
   * The one point where Audit is applied: an enforced refusal or any fault comes back and ends the check; an audited
   * one is recorded and the check goes on. A policy in Audit covers all its rules.
   */
  refuse(refusal: Refusal, ruleMode: Mode = 'Enforce'): StepResult {
    if (REASONS[refusal.reason].kind === 'fault') return refusal;
    if (this.mode === 'Enforce' && ruleMode === 'Enforce') return refusal;
    this.note({
      reason: refusal.reason,
      outcome: 'would-deny',
      ...(refusal.rule !== undefined && { rule: refusal.rule }),
    });
    return undefined;
  }

  note(finding: Finding): void {
    this.findings ??= [];
    if (this.findings.length < MAX_FINDINGS) this.findings.push(finding);
  }
}

export interface EvaluationStart {
  readonly request: Request;
  readonly policy: PolicyRef;
  readonly mode: Mode;
  readonly namespace: NamespaceView;
  readonly wallMs: number;
  readonly monotonicMs: number;
  readonly deadlineMs: number;
  /** Parameters of the target's template by the kept reading of the path. */
  readonly params: PathParams;
  /** The same by each other reading: as many as the path has. */
  readonly otherParams: readonly PathParams[];
  readonly caseInsensitive?: boolean;
}

/** A credential found in a carrier and claimed by one method, not yet verified. */
export interface Credential {
  /** Index of the method in the policy's compiled list. */
  readonly method: number;
  readonly carrier: Carrier;
  /** The secret as presented, without scheme. Never logged. */
  readonly value: string;
  /** Place of a token's verdict by the rules of that method, where it was worked out already. */
  readonly cacheKey: string | undefined;
}

/** A place of the request that can hold a credential. `name` is canonical: lower-case for headers. */
export interface Carrier {
  readonly kind: 'header' | 'authorizationScheme' | 'query' | 'cookie';
  /** Header, parameter or cookie name; for `authorizationScheme`, the scheme in lower case. */
  readonly name: string;
}

/** The live objects of one namespace that every policy in it shares. */
export interface NamespaceView {
  readonly consumers: ConsumerIndex;
  readonly roles: RoleIndex;
}

export interface ConsumerIndex {
  /**
   * The consumer that holds this API key now.
   *
   * @param key the secret as presented
   * @returns the identity (its `method` is filled in by the caller's method name), or why there is none
   */
  find(key: string, methodName: string, wallMs: number): Identity | 'unknown' | 'expired';
}

export interface RoleIndex {
  /**
   * Names of the roles bound to the identity, inherited ones included; frozen, cached per identity and index. An error
   * while it cannot be told: one of them is gone, in a cycle or cannot be read.
   */
  rolesOf(evaluation: Evaluation): readonly string[] | ExpressionError;
  /** Whether a role this caller holds permits this policy, method and path. */
  permits(role: string, evaluation: Evaluation): boolean;
  /** Whether the caller holds the role, also when its APIRole is gone; true for a role nobody defines and nobody binds. */
  isHeldForDeny(role: string, evaluation: Evaluation): boolean;
}
