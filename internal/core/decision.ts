import type { ReasonName } from './reasons.ts';

/** Why a phase will not let the check go on: a value. Frozen and shared where nothing in it varies. */
export interface Refusal {
  readonly reason: ReasonName;
  /** Name of the rule, limit or method that refused; a policy's own word, safe in logs and labels' owners. */
  readonly rule?: string;
  /** Safe for the client: what to do about it, in words of the request. */
  readonly detail?: string;
  /** What is wrong with which part of the input, for the client: in the author's words, never the client's. */
  readonly errors?: readonly InputError[];
  /** `WWW-Authenticate` challenges (RFC 9110 §11.6.1). */
  readonly challenges?: readonly string[];
  /** Seconds for `Retry-After`, rounded up. */
  readonly retryAfterS?: number;
  /** For the log and the span only: what an operator needs and a client must not see. */
  readonly cause?: string;
}

/** What a part of the input breaks. */
export interface InputError {
  /** A place of the request, and what of it: `/query/limit`, `/body/items`; tokens as in a JSON pointer (RFC 6901). */
  readonly pointer: string;
  /** Of a closed set of words: a limit, or a keyword of JSON Schema. */
  readonly rule: string;
}

/** A refusal that Audit turned into a record. */
export interface Finding {
  readonly reason: ReasonName;
  readonly rule?: string;
  readonly outcome: 'would-deny' | 'would-allow';
}

export type HeaderAction = 'Set' | 'Append' | 'AddIfAbsent';

export interface HeaderEdit {
  readonly name: string;
  readonly value: string;
  readonly action: HeaderAction;
}

/** What an allow changes on the way to the upstream and back. */
export interface Edits {
  readonly requestHeaders: readonly HeaderEdit[];
  readonly requestHeadersToRemove: readonly string[];
  readonly queryToRemove: readonly string[];
  readonly responseHeaders: readonly HeaderEdit[];
}

/** Identity of the policy that decided; `none` where no policy governs. */
export interface PolicyRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
}

export interface Decision {
  readonly outcome: 'allow' | 'deny' | 'fault';
  readonly reason: ReasonName;
  /** Random, in the answer, the log and the span. */
  readonly decisionId: string;
  readonly policy: PolicyRef | undefined;
  readonly refusal: Refusal | undefined;
  readonly findings: readonly Finding[];
  readonly edits: Edits;
  /** Headers of a denied answer beyond those of the refusal, e.g. RateLimit. */
  readonly answerHeaders: readonly HeaderEdit[];
  readonly isGrpc: boolean;
}
