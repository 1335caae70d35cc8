import { join } from 'node:path';
import type { FileContent } from './file-content.ts';
import { type FileObject, identityOf, type LocatedProblem } from './parse-file.ts';

/** What a directory holds now. */
export interface DirectoryContent {
  readonly objects: readonly FileObject[];
  readonly problems: readonly LocatedProblem[];
  /** Files and directories of which something was never read, and may claim what nobody knows. */
  readonly unread: readonly string[];
  /** Those of which what was read before stands in for what cannot be read now. */
  readonly kept: readonly string[];
}

/** A file over time. */
export interface KnownFile {
  /** What was seen of it when it was read; undefined before that. */
  readonly settled: string | undefined;
  /** A newer look at it. It counts when the next one is the same: nobody writes to it then. */
  readonly seen: string | undefined;
  /** Looks in a row that found it changed. */
  readonly changes: number;
  /** Undefined before it was read. */
  readonly content: FileContent | undefined;
}

/** With so many looks in a row, two seconds of them at least, somebody is told. */
export const MAX_CHANGES = 20;

/** It was another one with each of so many looks that it may never be at rest. */
export const isRestless = (file: KnownFile | undefined): boolean => file !== undefined && file.changes >= MAX_CHANGES;

export const isBelow = (directory: string, name: string): boolean =>
  directory === '' || name.startsWith(`${directory}/`);

/**
 * Puts together what the files of a directory say. Of two objects of one name the first file's counts, by the order of
 * the files' names; what is only kept from before gives way to what is said now.
 *
 * @param unlisted directories that cannot be listed, and why
 * @param files in the order of their names
 */
export function gatherContent(
  root: string,
  unlisted: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, KnownFile>,
): DirectoryContent {
  const objects = new Map<string, FileObject>();
  const problems: LocatedProblem[] = [];
  const unread: string[] = [];
  const kept: string[] = [];
  for (const [directory, why] of unlisted) {
    const path = join(root, directory);
    problems.push(problemOf(path, why));
    ([...files.keys()].some((name) => isBelow(directory, name)) ? kept : unread).push(path);
  }
  for (const [name, file] of files) {
    const path = join(root, name);
    if (isRestless(file)) problems.push(problemOf(path, 'It changes all the time, so it cannot be read'));
    if (file.content === undefined ? isRestless(file) : file.content.unread > 0) unread.push(path);
    if (file.content !== undefined && (isRestless(file) || file.content.kept.length > 0)) kept.push(path);
    for (const problem of file.content?.problems ?? []) problems.push(problem);
    for (const found of file.content?.objects ?? []) {
      const first = objects.get(identityOf(found));
      if (first === undefined) objects.set(identityOf(found), found);
      else problems.push(duplicate(found, first));
    }
  }
  for (const { content } of files.values()) {
    for (const found of content?.kept ?? []) if (!objects.has(identityOf(found))) objects.set(identityOf(found), found);
  }
  return { objects: [...objects.values()], problems, unread, kept };
}

function problemOf(file: string, message: string): LocatedProblem {
  return { reason: 'Invalid', path: '', severity: 'error', message, place: { file, line: 1, column: 1 } };
}

function duplicate(found: FileObject, first: FileObject): LocatedProblem {
  const message = `${identityOf(found)} stands in "${first.file}" already, which is the one that counts`;
  const place = found.placeOf('metadata.name');
  return { reason: 'DuplicateName', path: 'metadata.name', severity: 'error', message, place };
}
