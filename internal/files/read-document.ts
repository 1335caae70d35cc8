import { type Document, parseDocument, type YAMLError } from 'yaml';
import { type Problem, ProblemList } from '../core/problem.ts';
import type { SourceObject } from '../policy/object.ts';
import { readEnvelope } from '../policy/resource/envelope.ts';
import { type DocumentItem, itemsOf } from './document-items.ts';
import { fieldOffset } from './field-offset.ts';
import { refusedInTree, type TextProblem } from './strict-tree.ts';

/** A place inside a document; lines and columns count from 1. */
export interface DocumentPlace {
  readonly line: number;
  readonly column: number;
}

export interface PlacedProblem extends Problem {
  readonly place: DocumentPlace;
  /** The line that ends the message; lines of files are counted from their own beginning. */
  readonly endLine?: number;
}

export interface ReadObject {
  readonly object: SourceObject;
  /** Where a field stands, or what is nearest around it. */
  placeOf(path: string): DocumentPlace;
}

/** One document, read strictly, once: it depends on nothing but its text. */
export interface ReadDocument {
  /** Those of which kind, namespace and name can be read: most often one, in a `List` many. */
  readonly objects: readonly ReadObject[];
  readonly problems: readonly PlacedProblem[];
  /** How many nobody can tell what they stand for. */
  readonly unread: number;
}

/** More than this is no object of Kubernetes either: etcd takes no more. */
const MAX_DOCUMENT_LENGTH = 1536 * 1024;
/** More mistakes of one document help nobody. */
const MAX_PROBLEMS = 16;
const MAX_MESSAGE = 100;
const TOO_DEEP = 'Nested too deep to be read';

export function readDocument(text: string): ReadDocument {
  const places = new Places(text);
  const parsed = parse(text);
  if ('refused' in parsed) {
    const problems = parsed.refused.map(({ message, offset, firstOffset }): PlacedProblem => {
      const endLine = firstOffset === undefined ? {} : { endLine: places.at(firstOffset).line };
      return { reason: 'Invalid', path: '', severity: 'error', message, place: places.at(offset), ...endLine };
    });
    return { objects: [], problems, unread: 1 };
  }
  places.remember(parsed.document);
  const around = itemsOf(parsed.value);
  const problems = [...around.problems];
  const objects: ReadObject[] = [];
  let unread = around.isUnread ? 1 : 0;
  for (const item of around.items) {
    const list = new ProblemList(item.path);
    const object = readEnvelope(item.value, list);
    for (const problem of list.problems) problems.push(problem);
    if (object === undefined) unread += 1;
    // A Secret that is not right is none: what stands in it opens nothing.
    else if (object.kind !== 'Secret' || !list.hasErrors)
      objects.push({ object, placeOf: (path) => places.of(pathIn(item, path)) });
  }
  return { objects, problems: problems.map((problem) => ({ ...problem, place: places.of(problem.path) })), unread };
}

/** The path of an object's field in its document; what was found while it was read has that path already. */
const pathIn = ({ path: outer }: DocumentItem, path: string): string =>
  outer === '' || path.startsWith(`${outer}.`) ? path : path === '' ? outer : `${outer}.${path}`;

type Parsed = { readonly document: Document; readonly value: unknown } | { readonly refused: readonly TextProblem[] };

function parse(text: string): Parsed {
  if (text.length > MAX_DOCUMENT_LENGTH)
    return { refused: [{ offset: 0, message: `A document has at most ${MAX_DOCUMENT_LENGTH} characters` }] };
  try {
    const document = treeOf(text);
    const refused: TextProblem[] = [];
    for (const error of [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS))
      refused.push({ offset: error.pos[0], message: messageOf(error) });
    for (const problem of refusedInTree(document)) {
      if (refused.length >= MAX_PROBLEMS) break;
      refused.push(problem);
    }
    if (refused.length > 0) return { refused: refused.sort((a, b) => a.offset - b.offset) };
    return { document, value: document.toJS() };
  } catch {
    // The parser is recursive in places: a stack that is used up ends here.
    return { refused: [{ offset: 0, message: TOO_DEEP }] };
  }
}

function treeOf(text: string): Document {
  return parseDocument(text, {
    version: '1.2',
    strict: true,
    merge: false,
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
}

/** The parser quotes what it stumbled over, which may be a part of a Secret: the place is enough. */
function messageOf({ code, message }: YAMLError): string {
  if (code === 'RESOURCE_EXHAUSTION') return TOO_DEEP;
  if (code === 'NON_STRING_KEY') return 'A key must be text';
  return message.replace(/(?<=\w): .*$/s, '').slice(0, MAX_MESSAGE);
}

/** Finds places when somebody asks: the tree is made again for that, unless it is still there. */
class Places {
  readonly #text: string;
  #tree: WeakRef<Document> | undefined = undefined;
  readonly #known = new Map<string, DocumentPlace>();

  constructor(text: string) {
    this.#text = text;
  }

  remember(tree: Document): Document {
    this.#tree = new WeakRef(tree);
    return tree;
  }

  of(path: string): DocumentPlace {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const tree = this.#tree?.deref() ?? this.remember(treeOf(this.#text));
    const place = this.at(fieldOffset(tree, path));
    this.#known.set(path, place);
    return place;
  }

  at(offset: number): DocumentPlace {
    // What is missing at the end is missing where the text ends, not where the next document begins.
    const before = this.#text.trimEnd().slice(0, offset);
    return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
  }
}
