import { inOneGo } from '../core/breather.ts';
import type { Problem } from '../core/problem.ts';
import { objectKey, type SourceObject } from '../policy/object.ts';
import { type DocumentPlace, type ReadDocument, readDocument } from './read-document.ts';
import { splitDocuments } from './split-documents.ts';

/** Where something stands in a file; lines and columns count from 1. */
export interface Place extends DocumentPlace {
  readonly file: string;
}

/** An object of a file, which can say where each of its fields stands. */
export interface FileObject {
  readonly object: SourceObject;
  readonly file: string;
  placeOf(path: string): Place;
}

export interface LocatedProblem extends Problem {
  readonly place: Place;
}

export interface ParsedFile {
  /** Those with `problems` too: they claim what they name, and nothing more. */
  readonly objects: readonly FileObject[];
  readonly problems: readonly LocatedProblem[];
  /** Objects of which nobody can tell what they stand for. */
  readonly unread: number;
  /** By their text, for the next time. */
  readonly documents: ReadonlyMap<string, ReadDocument>;
}

const NONE: ReadonlyMap<string, ReadDocument> = new Map();

/** The same object of Kubernetes, whatever it says. */
export const identityOf = ({ object }: Pick<FileObject, 'object'>): string =>
  `${object.kind}/${objectKey(object.metadata)}`;

/** Reads the objects of one file strictly: what a cluster would not take is a problem, and so are tags and aliases. */
export function parseFile(file: string, text: string): ParsedFile {
  return inOneGo(parseInSteps(file, text));
}

/**
 * The same, a document a step.
 *
 * @param known what was read before: a document whose text did not change is the same object still
 */
export function* parseInSteps(file: string, text: string, known = NONE): Generator<undefined, ParsedFile> {
  const documents = new Map<string, ReadDocument>();
  const objects: FileObject[] = [];
  const problems: LocatedProblem[] = [];
  let unread = 0;
  for (const { text: part, linesBefore } of splitDocuments(text)) {
    const document = documents.get(part) ?? known.get(part) ?? readDocument(part);
    documents.set(part, document);
    const placed = ({ line, column }: DocumentPlace): Place => ({ file, line: line + linesBefore, column });
    for (const { place, endLine, ...problem } of document.problems) {
      const message = endLine === undefined ? problem.message : `${problem.message} ${endLine + linesBefore}`;
      problems.push({ ...problem, message, place: placed(place) });
    }
    for (const { object, placeOf } of document.objects)
      objects.push({ object, file, placeOf: (path) => placed(placeOf(path)) });
    unread += document.unread;
    yield;
  }
  return { objects, problems, unread, documents };
}
