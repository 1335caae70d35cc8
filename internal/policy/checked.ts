import type { Decision } from '../core/decision.ts';
import type { Evaluation } from '../core/evaluation.ts';
import type { Request } from '../core/request.ts';
import type { CompiledPolicy } from './compiled-policy.ts';

/** What a door knows of a call besides its message. */
export interface CheckCall {
  /** Monotonic milliseconds at which the caller stops waiting; undefined when it did not say. */
  readonly deadlineMs: number | undefined;
  /** True once the caller has gone away: nothing more is worth waiting for. */
  isCancelled(): boolean;
  readonly trace: CheckTrace;
}

/** Spans of one check; a shared object without effect while tracing is off. */
export interface CheckTrace {
  startPhase(name: string): void;
  endPhase(): void;
}

/** A decision with what the record of it needs; the request is absent where it could not be read. */
export interface Checked {
  readonly decision: Decision;
  readonly request: Request | undefined;
  readonly policy: CompiledPolicy | undefined;
  readonly evaluation: Evaluation | undefined;
}
