import { createHash } from 'node:crypto';
import type { Document } from 'yaml';
import { isMap, isNode, LineCounter, parseAllDocuments } from 'yaml';
import { nearest } from '../core/nearest.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import type { SourceObject } from '../policy/object.ts';
import { API_VERSION, KINDS } from '../policy/resource/kinds.ts';

/** Where something stands in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
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
  readonly objects: readonly FileObject[];
  readonly problems: readonly LocatedProblem[];
}

/** Largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

const KNOWN_KINDS = [...Object.keys(KINDS), 'Secret'];
const TOP_LEVEL = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
const SECRET_TOP_LEVEL = ['apiVersion', 'kind', 'metadata', 'type', 'data', 'stringData', 'immutable'];

/** Reads the objects of one YAML file strictly: repeated keys, unknown fields and unknown kinds are problems. */
export function parseFile(file: string, text: string): ParsedFile {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: true,
    strict: true,
    version: '1.2',
    merge: false,
  });
  const objects: FileObject[] = [];
  const problems: LocatedProblem[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const placeAt = (offset: number): Place => {
      const { line, col } = lines.linePos(offset);
      return { file, line: Math.max(1, line), column: Math.max(1, col) };
    };
    for (const error of document.errors) {
      const message = (error.message.split('\n')[0] ?? error.message).replace(/ at line \d+, column \d+:?$/, '');
      problems.push({ reason: 'Invalid', path: '', severity: 'error', message, place: placeAt(error.pos[0]) });
    }
    if (document.errors.length > 0) continue;
    readDocument(document, { file, placeAt, objects, problems });
  }
  return { objects, problems };
}

interface Reading {
  readonly file: string;
  readonly placeAt: (offset: number) => Place;
  readonly objects: FileObject[];
  readonly problems: LocatedProblem[];
}

function readDocument(document: Document, { file, placeAt, objects, problems }: Reading): void {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    problems.push({ reason: 'Invalid', path: '', severity: 'error', message, place: placeAt(0) });
    return;
  }
  if (value === null || value === undefined) return;
  const placeOf = (path: string): Place => placeAt(offsetOf(document, path));
  const list = new ProblemList('');
  const object = objectOf(value, list);
  for (const problem of list.problems) problems.push({ ...problem, place: placeOf(problem.path) });
  if (object !== undefined) objects.push({ object, file, placeOf });
}

/** The object with the defaults of a file: namespace `default`, a uid that its name makes. */
function objectOf(value: unknown, problems: ProblemList): SourceObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.error('Invalid', 'This is no object: a document begins with apiVersion, kind and metadata');
    return undefined;
  }
  const given = value as Record<string, unknown>;
  const { kind, apiVersion } = given;
  if (typeof kind !== 'string' || !KNOWN_KINDS.includes(kind)) {
    const hint = nearest(String(kind), KNOWN_KINDS);
    problems
      .at('kind')
      .error(
        'Invalid',
        `Unknown kind "${String(kind)}"${hint === undefined ? `: known are ${KNOWN_KINDS.join(', ')}` : `: did you mean "${hint}"?`}`,
      );
    return undefined;
  }
  const version = kind === 'Secret' ? 'v1' : API_VERSION;
  if (apiVersion !== version)
    problems.at('apiVersion').error('Invalid', `${kind} has the apiVersion "${version}", not "${String(apiVersion)}"`);
  for (const key of Object.keys(given)) {
    if (!(kind === 'Secret' ? SECRET_TOP_LEVEL : TOP_LEVEL).includes(key))
      problems.at(key).error('UnknownField', `Unknown field "${key}"`);
  }
  const metadata = metadataOf(kind, given.metadata, problems.at('metadata'));
  if (metadata === undefined || problems.hasErrors) return undefined;
  return { ...given, apiVersion: version, kind, metadata } as SourceObject;
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

function metadataOf(kind: string, value: unknown, problems: ProblemList): SourceObject['metadata'] | undefined {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const namespace = given.namespace ?? 'default';
  for (const [field, text] of [
    ['name', given.name],
    ['namespace', namespace],
  ] as const) {
    if (typeof text === 'string' && NAME.test(text)) continue;
    problems.at(field).error('Invalid', `"${String(text)}" is no name: use lower-case letters, digits, "-" and "."`);
  }
  if (problems.hasErrors) return undefined;
  const name = String(given.name);
  const parts = [kind, String(namespace), name].map((part) => `${part.length}:${part}`).join('');
  const uid = createHash('sha256').update(parts).digest('hex').slice(0, 32);
  const texts = (map: unknown): Record<string, string> =>
    Object.fromEntries(Object.entries((map ?? {}) as object).map(([key, text]) => [key, String(text)]));
  return {
    name,
    namespace: String(namespace),
    uid,
    generation: 1,
    labels: texts(given.labels),
    annotations: texts(given.annotations),
  };
}

/** Offset of the field that a problem's path names, or of the nearest one around it that is there. */
function offsetOf(document: Document, path: string): number {
  const steps =
    path === ''
      ? []
      : path
          .replaceAll(/\[(\d+)\]/g, '.$1')
          .split('.')
          .filter((step) => step !== '');
  for (let length = steps.length; length > 0; length -= 1) {
    const keys = steps.slice(0, length).map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isNode(item.key) && item.key.toJSON() === String(keys.at(-1)))
      : undefined;
    const node = pair?.key ?? document.getIn(keys, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0;
}
