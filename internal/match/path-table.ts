import { isSpent, type Meter } from '../core/meter.ts';
import { lowerAscii, type PathTemplate, parametersOf } from './path-template.ts';
import { type Branches, branchFor, foldedOf, textOf } from './segment-tree.ts';

export interface PathEntry<T> {
  readonly template: PathTemplate;
  readonly value: T;
}

export interface PathHit<T> {
  readonly value: T;
  readonly parameters: ReadonlyMap<string, string>;
}

interface Node<T> extends Branches<Node<T>> {
  rest: PathEntry<T> | undefined;
  end: PathEntry<T> | undefined;
}

const newNode = <T>(): Node<T> => ({ literals: undefined, parameter: undefined, rest: undefined, end: undefined });

/** What a look at one node is charged: in a large tree none of it is in the processor's cache. */
const LOOK = 150;

/** A question to a table, by one reading of a path. */
interface Search<T, A extends Meter> {
  readonly segments: readonly string[];
  readonly isWanted: (value: T, asked: A) => boolean;
  readonly asked: A;
}

/** A question for what covers all of a template. */
interface Whole<T> {
  readonly segments: PathTemplate['segments'];
  readonly isWanted: (value: T) => boolean;
}

/**
 * Path templates as a tree of segments, walked most specific first: literal, then `{name}`, then `**`. Built once, then
 * only read. Of two equal templates the one added first stays.
 */
export class PathTable<T> {
  readonly #root: Node<T> = newNode();
  readonly #caseInsensitive: boolean;

  constructor(options: { readonly caseInsensitive: boolean }) {
    this.#caseInsensitive = options.caseInsensitive;
  }

  /** @returns the entry that stays: this one, or an equal one that was there before */
  add(entry: PathEntry<T>): PathEntry<T> {
    const asKey = this.#caseInsensitive ? foldedOf : textOf;
    let node = this.#root;
    for (const segment of entry.template.segments) {
      if (segment.kind === 'rest') {
        node.rest ??= entry;
        return node.rest;
      }
      node = branchFor(node, segment, { asKey, newNode: newNode<T> });
    }
    node.end ??= entry;
    return node.end;
  }

  /** The most specific entry that covers these decoded segments. */
  find(segments: readonly string[]): PathHit<T> | undefined {
    const looked = this.#caseInsensitive ? segments.map(lowerAscii) : segments;
    const entry = descend(this.#root, looked, 0);
    return entry && { value: entry.value, parameters: parametersOf(entry.template, segments) };
  }

  /** The most specific wanted entry that covers all that the template covers. */
  covering({ segments }: PathTemplate, isWanted: (value: T) => boolean): PathEntry<T> | undefined {
    return this.#covering(this.#root, { segments, isWanted }, 0);
  }

  #covering(node: Node<T>, whole: Whole<T>, depth: number): PathEntry<T> | undefined {
    const segment = whole.segments[depth];
    const wanted = (entry: PathEntry<T> | undefined) => (entry && whole.isWanted(entry.value) ? entry : undefined);
    if (segment === undefined) return wanted(node.end) ?? wanted(node.rest);
    if (segment.kind === 'rest') return wanted(node.rest);
    if (segment.kind === 'literal') {
      const literal = node.literals?.get(this.#caseInsensitive ? segment.folded : segment.text);
      const viaLiteral = literal && this.#covering(literal, whole, depth + 1);
      if (viaLiteral !== undefined) return viaLiteral;
    }
    const viaParameter = node.parameter && this.#covering(node.parameter, whole, depth + 1);
    return viaParameter ?? wanted(node.rest);
  }

  /**
   * Whether one of all the entries that cover these decoded segments is wanted. Every look is charged, for templates can
   * be made to cover a path in more ways than a check has time for; false once that is used up.
   */
  some<A extends Meter>(segments: readonly string[], isWanted: Search<T, A>['isWanted'], asked: A): boolean {
    return this.#some(this.#root, { segments, isWanted, asked }, 0);
  }

  #some<A extends Meter>(node: Node<T>, search: Search<T, A>, depth: number): boolean {
    const { segments, isWanted, asked } = search;
    asked.work -= LOOK;
    if (isSpent(asked)) return false;
    const { literals, parameter, rest, end } = node;
    if (rest !== undefined && isWanted(rest.value, asked)) return true;
    const segment = segments[depth];
    if (segment === undefined) return end !== undefined && isWanted(end.value, asked);
    const literal = literals?.get(this.#caseInsensitive ? lowered(segment, asked) : segment);
    if (literal !== undefined && this.#some(literal, search, depth + 1)) return true;
    return parameter !== undefined && this.#some(parameter, search, depth + 1);
  }
}

/** Lower case, charged by its length: a caller chooses the segment, and a tree may ask for it at many nodes. */
function lowered(segment: string, meter: Meter): string {
  meter.work -= segment.length;
  return lowerAscii(segment);
}

function descend<T>(node: Node<T>, segments: readonly string[], depth: number): PathEntry<T> | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.end ?? node.rest;
  const literal = node.literals?.get(segment);
  const viaLiteral = literal && descend(literal, segments, depth + 1);
  if (viaLiteral !== undefined) return viaLiteral;
  const viaParameter = node.parameter && descend(node.parameter, segments, depth + 1);
  return viaParameter ?? node.rest;
}
