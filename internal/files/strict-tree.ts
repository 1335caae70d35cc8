import { type Document, isAlias, isMap, isPair, isScalar, isSeq } from 'yaml';
import { glimpse } from '../policy/resource/glimpse.ts';

/** What is wrong in the text of a document, and at which character. */
export interface TextProblem {
  readonly offset: number;
  readonly message: string;
  /** Where the same stood before: its line ends the message, once the file is known around the document. */
  readonly firstOffset?: number;
}

/** Specs are a dozen levels deep. */
const MAX_DEPTH = 64;

/**
 * What YAML lets a document do beyond objects, lists and scalars, and what would make it say something else than it
 * shows: tags, anchors and aliases, repeated keys, another version of YAML. Repeated keys are looked for here and not
 * by the parser, whose way takes minutes for a map of a hundred thousand keys.
 */
export function* refusedInTree(document: Document): Iterable<TextProblem> {
  const version = document.directives?.yaml.version;
  if (version !== undefined && version !== '1.2')
    yield { offset: 0, message: 'Only YAML 1.2 is read: take the %YAML directive out' };
  const open: { readonly node: unknown; readonly depth: number }[] = [{ node: document.contents, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, depth } = next;
    if (isPair(node)) {
      open.push({ node: node.value, depth }, { node: node.key, depth });
      continue;
    }
    const refused = refusal(node);
    if (refused !== undefined) yield { offset: offsetOf(node), message: refused };
    if (!isMap(node) && !isSeq(node)) continue;
    if (depth > MAX_DEPTH) {
      yield { offset: offsetOf(node), message: `Nested deeper than ${MAX_DEPTH} levels` };
      continue;
    }
    if (isMap(node)) yield* repeatedKeys(node.items);
    for (const item of node.items.toReversed()) open.push({ node: item, depth: depth + 1 });
  }
}

function refusal(node: unknown): string | undefined {
  if (isAlias(node)) return 'Aliases are not read: write the value out';
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return undefined;
  if (node.anchor !== undefined) return 'Anchors are not read: take it out, and write the value wherever it is meant';
  if (node.tag !== undefined) return 'Tags are not read: take it out, and quote the value where it is text';
  return undefined;
}

/** Keys are compared as the texts that they become: 1 and "1" are one. */
function* repeatedKeys(items: readonly unknown[]): Iterable<TextProblem> {
  const seen = new Map<string, unknown>();
  for (const item of items) {
    if (!isPair(item) || !isScalar(item.key)) continue;
    const key = String(item.key.value);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, item.key);
    else {
      const message = `The key "${glimpse(key)}" stands here a second time: take it out here or in line`;
      yield { offset: offsetOf(item.key), message, firstOffset: offsetOf(first) };
    }
  }
}

function offsetOf(node: unknown): number {
  return (node as { readonly range?: readonly number[] | null } | null | undefined)?.range?.[0] ?? 0;
}
