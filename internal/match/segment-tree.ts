import type { LiteralSegment, PathTemplate } from './path-template.ts';

/** A node of a tree of path segments: what is below it, by literal and by `{name}`. Most nodes are last and have neither. */
export interface Branches<N> {
  literals: Map<string, N> | undefined;
  parameter: N | undefined;
}

type Segment = Exclude<PathTemplate['segments'][number], { kind: 'rest' }>;

/**
 * The node below for one segment, made where there is none.
 *
 * @param asKey the text of a literal as the tree compares it: `textOf` or `foldedOf`
 */
export function branchFor<N extends Branches<N>>(
  node: N,
  segment: Segment,
  { asKey, newNode }: { readonly asKey: (literal: LiteralSegment) => string; readonly newNode: () => N },
): N {
  if (segment.kind === 'parameter') {
    node.parameter ??= newNode();
    return node.parameter;
  }
  const text = asKey(segment);
  node.literals ??= new Map();
  let next = node.literals.get(text);
  if (next === undefined) {
    next = newNode();
    node.literals.set(text, next);
  }
  return next;
}

export const textOf = ({ text }: LiteralSegment): string => text;
export const foldedOf = ({ folded }: LiteralSegment): string => folded;
