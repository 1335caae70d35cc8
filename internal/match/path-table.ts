import { lowerAscii, type PathTemplate, parametersOf } from './path-template.ts';

export interface PathEntry<T> {
  readonly template: PathTemplate;
  readonly value: T;
}

export interface PathHit<T> {
  readonly value: T;
  readonly parameters: ReadonlyMap<string, string>;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  parameter: Node<T> | undefined;
  rest: PathEntry<T> | undefined;
  end: PathEntry<T> | undefined;
}

const newNode = <T>(): Node<T> => ({ literals: new Map(), parameter: undefined, rest: undefined, end: undefined });

/**
 * Path templates of one host as a tree of segments, walked most specific first: literal, then `{name}`, then `**`.
 * Built once, then only read. Of two equal templates the one added first stays.
 */
export class PathTable<T> {
  readonly #root: Node<T> = newNode();
  readonly #caseInsensitive: boolean;

  constructor(options: { readonly caseInsensitive: boolean }) {
    this.#caseInsensitive = options.caseInsensitive;
  }

  /** @returns the entry that stays: this one, or an equal one that was there before */
  add(entry: PathEntry<T>): PathEntry<T> {
    let node = this.#root;
    for (const segment of entry.template.segments) {
      if (segment.kind === 'rest') {
        node.rest ??= entry;
        return node.rest;
      }
      if (segment.kind === 'parameter') {
        node.parameter ??= newNode();
        node = node.parameter;
        continue;
      }
      const text = this.#caseInsensitive ? lowerAscii(segment.text) : segment.text;
      let next = node.literals.get(text);
      if (next === undefined) {
        next = newNode();
        node.literals.set(text, next);
      }
      node = next;
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
}

function descend<T>(node: Node<T>, segments: readonly string[], depth: number): PathEntry<T> | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.end ?? node.rest;
  const literal = node.literals.get(segment);
  const viaLiteral = literal && descend(literal, segments, depth + 1);
  if (viaLiteral !== undefined) return viaLiteral;
  const viaParameter = node.parameter && descend(node.parameter, segments, depth + 1);
  return viaParameter ?? node.rest;
}
