import { hash } from 'node:crypto';
import type { Horizon, ObjectReport } from '../policy/store.ts';
import { digestIn, type Refusals, readRefusals, refusalsOf, writtenRefusals } from './refusals.ts';

/**
 * What one replica serves, small enough for a Lease whatever the number of policies: everything up to its horizon, but
 * for the policies whose newest generation it does not serve.
 */
export interface Serving {
  /** A resource version by the scope of each watch of policies (`scopeOf`); an empty one is not known. */
  readonly horizon: Horizon;
  /** Those that it does not serve; left out when they are of too many namespaces. */
  readonly refusals?: Refusals;
  /** Over the marks of all of them, in order. */
  readonly digest: string;
}

/** The annotation of a Lease that carries it, as JSON. */
export const SERVES_ANNOTATION = 'postern.dev/serves';

const MAX_TEXT = 128 * 1024;
const MARK_LENGTH = 12;

/** One generation of one object, in few characters. Two that share a mark only keep `Programmed` waiting. */
export const markOf = ({ uid, generation }: { readonly uid: string; readonly generation: number }): string =>
  hash('sha256', `${uid} ${generation}`, 'base64url').slice(0, MARK_LENGTH);

/** Of objects that one build after the other refuses: thousands of digests in each would keep checks waiting. */
const marks = new WeakMap<object, string>();

function knownMarkOf(policy: { readonly uid: string; readonly generation: number }): string {
  let mark = marks.get(policy);
  if (mark === undefined) {
    mark = markOf(policy);
    marks.set(policy, mark);
  }
  return mark;
}

/** What a watch shows: one namespace or all, by the selector of the instance. Replicas that watch another part differ. */
export const scopeOf = (namespace: string | undefined, selector: string | undefined): string =>
  `${namespace ?? '*'}${selector === undefined ? '' : ` ${selector}`}`;

/**
 * @param reports of the build whose horizon it is
 * @param untold policies that the store could not take: no report tells of them
 */
export function servingOf(
  reports: readonly ObjectReport[],
  horizon: Horizon,
  untold: Iterable<{ readonly namespace: string; readonly uid: string; readonly generation: number }>,
): Serving {
  const byNamespace = new Map<string, string[]>();
  const refuse = (policy: { readonly namespace: string; readonly uid: string; readonly generation: number }): void => {
    const refused = byNamespace.get(policy.namespace);
    if (refused === undefined) byNamespace.set(policy.namespace, [knownMarkOf(policy)]);
    else refused.push(knownMarkOf(policy));
  };
  for (const metadata of untold) refuse(metadata);
  for (const { object, isAccepted } of reports) if (object.kind === 'APIPolicy' && !isAccepted) refuse(object.metadata);
  const refusals = refusalsOf(byNamespace);
  const digest = hash('sha256', [...byNamespace.values()].flat().sort().join(' '), 'base64url');
  return { horizon, ...(refusals !== undefined && { refusals }), digest };
}

/** The annotation's text. */
export const writeServing = ({ horizon, refusals, digest }: Serving): string =>
  JSON.stringify({ horizon, ...(refusals !== undefined && { refusals: writtenRefusals(refusals) }), digest });

/**
 * Reads the annotation of a replica, of this version or another.
 *
 * @returns undefined for what cannot be understood: that replica serves nothing that is known
 */
export function readServing(text: string | undefined): Serving | undefined {
  if (text === undefined || text.length > MAX_TEXT) return undefined;
  try {
    const { horizon, refusals, digest } = (JSON.parse(text) ?? {}) as { readonly [key in keyof Serving]?: unknown };
    if (typeof digest !== 'string' || !isRecordOfTexts(horizon)) return undefined;
    if (refusals === undefined) return { horizon, digest };
    const read = readRefusals(refusals);
    return read && { horizon, refusals: read, digest };
  } catch {
    return undefined;
  }
}

/**
 * Whether a replica serves a generation which this one serves, once it has come so far. Where it does not name all that
 * it refuses, it does if that is what this one refuses now: this policy is not among it.
 */
export function servesToo(
  { refusals, digest }: Serving,
  { namespace, mark }: { readonly namespace: string; readonly mark: string },
  own: Serving | undefined,
): boolean {
  if (refusals === undefined) return digest === own?.digest;
  const refused = refusals.get(namespace) ?? [];
  if (typeof refused !== 'string') return !refused.includes(mark);
  return own?.refusals !== undefined && refused === digestIn(own.refusals, namespace);
}

/** Whether a resource version lies at or behind another: never, where one of them is no version. */
export function reaches(version: string | undefined, other: string | undefined): boolean {
  if (!isVersion(version) || !isVersion(other)) return false;
  return version.length === other.length ? version >= other : version.length > other.length;
}

const isVersion = (text: string | undefined): text is string => text !== undefined && /^[1-9]\d*$/.test(text);
const isText = (value: unknown): value is string => typeof value === 'string';

function isRecordOfTexts(value: unknown): value is Horizon {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText);
}
