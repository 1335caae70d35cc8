import { type FileObject, identityOf, type LocatedProblem, type ParsedFile } from './parse-file.ts';
import type { ReadDocument } from './read-document.ts';
import type { Unreadable } from './read-text.ts';

/** What a file stands for: what it says now, and what it said before where nobody can tell what it says now. */
export interface FileContent {
  readonly objects: readonly FileObject[];
  /** Objects of before: they may be what the part that cannot be read says. */
  readonly kept: readonly FileObject[];
  readonly problems: readonly LocatedProblem[];
  /** How many of its parts may claim what nobody knows: never read, and no former content stands in for them. */
  readonly unread: number;
  readonly documents: ReadonlyMap<string, ReadDocument>;
  /** Policies whose targets could be read, now or before: the last good ones are served. */
  readonly claimants: ReadonlySet<string>;
}

const NOTHING: FileContent = Object.freeze({
  objects: [],
  kept: [],
  problems: [],
  unread: 1,
  documents: new Map(),
  claimants: new Set<string>(),
});
const NOTHING_UNREAD: FileContent = Object.freeze({ ...NOTHING, unread: 0 });

/** A file that cannot be read goes on to stand for what it said last. */
export function contentUnreadable(file: string, unreadable: Unreadable, known: FileContent | undefined): FileContent {
  const before = known ?? (unreadable.isDirectory ? NOTHING_UNREAD : NOTHING);
  const place = { file, line: 1, column: 1 };
  const problem: LocatedProblem = { reason: 'Invalid', path: '', severity: 'error', message: unreadable.why, place };
  return { ...before, objects: [], kept: [...before.objects, ...before.kept], problems: [problem] };
}

/** What could be read counts at once; what was there before is kept only where it may be what could not be read. */
export function contentRead({ objects, problems, unread, documents }: ParsedFile, before = NOTHING): FileContent {
  const identities = new Set(objects.map(identityOf));
  const former = unread === 0 ? [] : [...before.objects, ...before.kept];
  const kept = former.filter((found) => !identities.has(identityOf(found)));
  const claimants = new Set<string>();
  let silent = 0;
  for (const found of [...objects, ...kept]) {
    if (found.object.kind !== 'APIPolicy') continue;
    if (hasTarget(found.object.spec) || before.claimants.has(identityOf(found))) claimants.add(identityOf(found));
    else silent += 1;
  }
  return { objects, kept, problems, documents, claimants, unread: Math.max(0, unread - kept.length) + silent };
}

/** Whether as much of a spec can be read as says what it claims. */
function hasTarget(spec: unknown): boolean {
  const { target } = (spec ?? {}) as { readonly target?: unknown };
  const { hosts, routes, workloadSelector } = (target ?? {}) as Readonly<Record<string, unknown>>;
  const isListed = [hosts, routes].some((list) => Array.isArray(list) && list.length > 0);
  return isListed || (typeof workloadSelector === 'object' && workloadSelector !== null);
}
