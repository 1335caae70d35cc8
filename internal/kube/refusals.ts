import { hash } from 'node:crypto';

/** What a replica refuses of one namespace: marks (`markOf`), in order; or their digest, where they are too many to be named. */
export type Refused = readonly string[] | string;

/** By namespace; nothing is refused of one that is not in it. Namespaces may have names that objects have members of. */
export type Refusals = ReadonlyMap<string, Refused>;

/** Marks that are named: of one namespace, and of all. */
const MAX_NAMED = 50;
const MAX_ALL_NAMED = 1000;
/** With more, nothing but a digest of all is told: nobody makes so many namespaces by writing policies. */
const MAX_NAMESPACES = 1000;
const DIGEST_LENGTH = 22;

/** @param marks in order */
export const digestOf = (marks: readonly string[]): string =>
  hash('sha256', marks.join(' '), 'base64url').slice(0, DIGEST_LENGTH);

/**
 * Makes it small enough for a Lease. It is cut namespace by namespace, the one that refuses most first, so that how much
 * is refused of one of them keeps nobody else waiting.
 *
 * @param marks by namespace, in any order
 * @returns undefined where there are too many namespaces
 */
export function refusalsOf(marks: ReadonlyMap<string, readonly string[]>): Refusals | undefined {
  if (marks.size > MAX_NAMESPACES) return undefined;
  let named = 0;
  const fewestFirst = [...marks].sort(([, a], [, b]) => a.length - b.length);
  return new Map(
    fewestFirst.map(([namespace, own]): [string, Refused] => {
      const sorted = own.toSorted();
      named += own.length;
      return [namespace, own.length <= MAX_NAMED && named <= MAX_ALL_NAMED ? sorted : digestOf(sorted)];
    }),
  );
}

/** The digest of what is refused of a namespace, named or not. */
export function digestIn(refusals: Refusals, namespace: string): string {
  const refused = refusals.get(namespace) ?? [];
  return typeof refused === 'string' ? refused : digestOf(refused);
}

/** As an annotation has it: an object, whose members JSON takes for what they are. */
export const writtenRefusals = (refusals: Refusals): Readonly<Record<string, Refused>> => Object.fromEntries(refusals);

/** @returns undefined for what cannot be understood */
export function readRefusals(value: unknown): Refusals | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries: [string, Refused][] = [];
  for (const [namespace, refused] of Object.entries(value)) {
    if (!isRefused(refused)) return undefined;
    entries.push([namespace, refused]);
  }
  return new Map(entries);
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isRefused = (value: unknown): value is Refused => isText(value) || (Array.isArray(value) && value.every(isText));
