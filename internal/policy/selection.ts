import { ENCODED_SLASH, SEMICOLON } from '../core/canonical-path.ts';
import type { Malformed } from '../core/canonicalize.ts';
import type { PathParams } from '../core/evaluation.ts';
import type { ReasonName } from '../core/reasons.ts';
import type { PathReadings } from '../core/request.ts';
import { evaluated } from './baselines/stand-in.ts';
import type { CompiledPolicy, PathOptions, Served } from './compiled-policy.ts';
import type { HostEntry } from './host-table.ts';
import type { OwnHeaders } from './own-headers.ts';

/** What selection reads of a request, canonical or not. */
export interface Selectable {
  /** undefined where the host itself could not be read. */
  readonly host: string | undefined;
  /** undefined where the path could not be read: only the host, or the name, can then be judged. */
  readonly readings: PathReadings | undefined;
  readonly policyName: string | undefined;
  readonly routes: readonly RouteName[] | undefined;
}

/** One entry of Envoy Gateway's route metadata. */
export interface RouteName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly sectionName: string | undefined;
}

/** `own`: headers that no client may send to what is governed, for they are for its policies, or the host's, to set. */
export type Selection =
  | {
      readonly kind: 'policy';
      readonly policy: CompiledPolicy;
      /** Parameters of the target's template by the kept reading of the path, and by each other one. */
      readonly params: PathParams;
      readonly otherParams: readonly PathParams[];
      readonly own: OwnHeaders;
    }
  /** Nobody holds the host: `--unmatched` says what happens. */
  | { readonly kind: 'unmatched' }
  /** A policy in Audit that was never accepted passes as an unmatched host under allow. */
  | { readonly kind: 'audited-invalid'; readonly own: OwnHeaders }
  | Unread
  | {
      readonly kind: 'refused';
      readonly reason: ReasonName;
      readonly policy: CompiledPolicy | undefined;
      /** For the log, where the reason alone does not tell. */
      readonly cause?: string;
    };

/** The path has no one reading, but what governs it is known. */
export interface Unread {
  readonly kind: 'unread';
  /** All of what governs it is in Audit. */
  readonly isAudit: boolean;
  readonly policy: CompiledPolicy | undefined;
  readonly own: OwnHeaders;
  /** Set where the path is canonical, but for a delimiter that is not kept here. */
  readonly unkept: Malformed | undefined;
}

/** A request that is refused before anything is evaluated. */
export const refused = (reason: ReasonName, policy?: CompiledPolicy): Selection => ({
  kind: 'refused',
  reason,
  policy,
});

const NOTHING_READ: PathParams = new Map();

/**
 * What governs the request is in Audit and was never accepted. Where its namespace's overrides hold they are asked, by
 * every reading of the path, and what is malformed does not pass.
 */
export function auditedInvalid(
  { standIn }: Served,
  { own, readings, pathOptions }: Pick<HostEntry, 'own' | 'pathOptions'> & Pick<Selectable, 'readings'>,
): Selection {
  if (standIn === undefined) return { kind: 'audited-invalid', own };
  const unkept = readings && unkeptDelimiter(readings, pathOptions);
  if (readings === undefined || unkept !== undefined) return unreadOf(standIn, own, unkept);
  const otherParams = readings.others.map(() => NOTHING_READ);
  return { kind: 'policy', policy: standIn, params: NOTHING_READ, otherParams, own };
}

/** What claims the request is not accepted: nothing but its name tells whose spec has to be mended. */
export const unaccepted = (reason: ReasonName, { namespace, name }: Served): Selection => ({
  kind: 'refused',
  reason,
  policy: undefined,
  cause: `APIPolicy "${namespace}/${name}" claims this and is not accepted: its problems are in its status, the log and postern lint`,
});

/** One policy governs it, by whichever reading. */
export const unreadOf = (policy: CompiledPolicy, own: OwnHeaders, unkept: Malformed | undefined): Unread => ({
  kind: 'unread',
  // Overrides cannot be asked about what has no one reading.
  isAudit: policy.mode === 'Audit' && policy.held === undefined,
  policy: evaluated(policy),
  own,
  unkept,
});

/** All policies of the host do, or none of them. */
export const unreadBelow = ({ own }: HostEntry, unkept: Malformed | undefined, isAudit: boolean): Unread => ({
  kind: 'unread',
  isAudit,
  policy: undefined,
  own,
  unkept,
});

const UNKEPT_SLASH: Malformed = Object.freeze({ reason: 'malformed_path', detail: ENCODED_SLASH });
const UNKEPT_SEMICOLON: Malformed = Object.freeze({ reason: 'malformed_path', detail: SEMICOLON });

/** A delimiter in the path that these options do not keep. */
export function unkeptDelimiter(readings: PathReadings, options: PathOptions): Malformed | undefined {
  if (readings.hasEncodedSlash && options.encodedSlash === 'Refuse') return UNKEPT_SLASH;
  if (readings.hasSemicolon && options.semicolon === 'Refuse') return UNKEPT_SEMICOLON;
  return undefined;
}
