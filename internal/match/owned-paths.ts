import type { PathTemplate } from './path-template.ts';
import { type Branches, branchFor, foldedOf } from './segment-tree.ts';

/** How many nodes of trees may still be looked at; below zero, nothing more is found. */
export interface Looks {
  left: number;
}

/** Owned by more than one: then also by somebody else than who asks. */
const MANY = Symbol('many');
export type Owner = string | typeof MANY | undefined;

interface Node extends Branches<Node> {
  /** Of the node and of all below it. */
  all: Owner;
  rest: Owner;
  end: Owner;
}

const newNode = (): Node => ({
  all: undefined,
  rest: undefined,
  end: undefined,
  literals: undefined,
  parameter: undefined,
});

/** Whose something is once it is this owner's too. */
export const joined = (before: Owner, owner: string): Owner =>
  before === undefined || before === owner ? owner : MANY;
export const isOthers = (found: Owner, owner: string): boolean => found !== undefined && found !== owner;

/**
 * Whose path templates meet whose: two overlap if some path is covered by both, without regard to ASCII case, for one of
 * their policies may read paths so.
 */
export class OwnedPaths {
  readonly #root = newNode();

  add({ segments }: PathTemplate, owner: string): void {
    let node = this.#root;
    for (const segment of segments) {
      node.all = joined(node.all, owner);
      if (segment.kind === 'rest') {
        node.rest = joined(node.rest, owner);
        return;
      }
      node = branchFor(node, segment, { asKey: foldedOf, newNode });
    }
    node.all = joined(node.all, owner);
    node.end = joined(node.end, owner);
  }

  /** Whether a template of another owner overlaps this one; also true once there are no looks left to tell. */
  meetsOther(template: PathTemplate, owner: string, looks: Looks): boolean {
    return meets(this.#root, { segments: template.segments, owner, looks }, 0);
  }

  /**
   * Whether a template of another owner overlaps this one and covers paths that this one does not; also true once there
   * are no looks left to tell.
   */
  reachesBeyond(template: PathTemplate, owner: string, looks: Looks): boolean {
    return meetsBeyond(this.#root, { segments: template.segments, owner, looks }, 0);
  }
}

interface Question {
  readonly segments: PathTemplate['segments'];
  readonly owner: string;
  readonly looks: Looks;
}

function meets(node: Node, question: Question, depth: number): boolean {
  const { owner, looks, segments } = question;
  // What is one's own alone is passed over, however much it is.
  if (!isOthers(node.all, owner)) return false;
  looks.left -= 1;
  if (looks.left < 0 || isOthers(node.rest, owner)) return true;
  const segment = segments[depth];
  if (segment === undefined) return isOthers(node.end, owner);
  if (segment.kind === 'rest') return true;
  if (node.parameter !== undefined && meets(node.parameter, question, depth + 1)) return true;
  if (segment.kind === 'literal') {
    const literal = node.literals?.get(segment.folded);
    return literal !== undefined && meets(literal, question, depth + 1);
  }
  for (const literal of node.literals?.values() ?? []) {
    if (meets(literal, question, depth + 1)) return true;
  }
  return false;
}

function meetsBeyond(node: Node, question: Question, depth: number): boolean {
  const { owner, looks, segments } = question;
  if (!isOthers(node.all, owner)) return false;
  looks.left -= 1;
  if (looks.left < 0) return true;
  const segment = segments[depth];
  // All that is at this node and below it is covered.
  if (segment?.kind === 'rest') return false;
  if (isOthers(node.rest, owner)) return true;
  if (segment === undefined) return false;
  if (segment.kind === 'literal') {
    const literal = node.literals?.get(segment.folded);
    return (
      (node.parameter !== undefined && meets(node.parameter, question, depth + 1)) ||
      (literal !== undefined && meetsBeyond(literal, question, depth + 1))
    );
  }
  if (node.parameter !== undefined && meetsBeyond(node.parameter, question, depth + 1)) return true;
  for (const literal of node.literals?.values() ?? []) {
    if (meetsBeyond(literal, question, depth + 1)) return true;
  }
  return false;
}
