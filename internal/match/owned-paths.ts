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
  /** All that is below its literals as one node: made when `{name}` is asked for, gone when something is added there. */
  merged: Node | undefined;
  /** Of what a merged node is made, until somebody looks below it. */
  sources: readonly Node[] | undefined;
}

const newNode = (): Node => ({
  all: undefined,
  rest: undefined,
  end: undefined,
  literals: undefined,
  parameter: undefined,
  merged: undefined,
  sources: undefined,
});

/** Whose something is once it is this owner's too. */
export function joined(before: Owner, owner: Owner): Owner {
  if (owner === undefined) return before;
  return before === undefined || before === owner ? owner : MANY;
}
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
      if (segment.kind === 'literal') node.merged = undefined;
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
  if (!isOpened(node, question)) return true;
  if (node.parameter !== undefined && meets(node.parameter, question, depth + 1)) return true;
  const literal = segment.kind === 'literal' ? node.literals?.get(segment.folded) : mergedBelow(node, question);
  if (literal === SPENT) return true;
  return literal !== undefined && meets(literal, question, depth + 1);
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
  if (!isOpened(node, question)) return true;
  if (segment.kind === 'literal') {
    const literal = node.literals?.get(segment.folded);
    return (
      (node.parameter !== undefined && meets(node.parameter, question, depth + 1)) ||
      (literal !== undefined && meetsBeyond(literal, question, depth + 1))
    );
  }
  if (node.parameter !== undefined && meetsBeyond(node.parameter, question, depth + 1)) return true;
  const merged = mergedBelow(node, question);
  if (merged === SPENT) return true;
  return merged !== undefined && meetsBeyond(merged, question, depth + 1);
}

const SPENT = Symbol('spent');

/**
 * What is below any literal of the node. It is put together once for all who ask, one segment further each time: else
 * whoever claims much beside others would have each of their questions walk over all of it.
 */
function mergedBelow(node: Node, { owner, looks }: Question): Node | typeof SPENT | undefined {
  if (node.literals === undefined || node.merged !== undefined) return node.merged;
  const below = [...node.literals.values()];
  const others = othersIn(below, owner);
  if (others === 0) return undefined;
  looks.left -= others;
  if (looks.left < 0) return SPENT;
  node.merged = union(below);
  return node.merged;
}

/** Finds what is below a merged node; false once there are no looks left to. */
function isOpened(node: Node, { owner, looks }: Question): boolean {
  const { sources } = node;
  if (sources === undefined) return true;
  for (const { literals, parameter } of sources)
    looks.left -= othersIn(literals?.values() ?? [], owner) + (isOthers(parameter?.all, owner) ? 1 : 0);
  if (looks.left < 0) return false;
  const byText = new Map<string, Node[]>();
  for (const { literals } of sources) {
    for (const [text, literal] of literals ?? []) {
      const same = byText.get(text);
      if (same === undefined) byText.set(text, [literal]);
      else same.push(literal);
    }
  }
  const parameters = sources.flatMap(({ parameter }) => parameter ?? []);
  node.literals = new Map([...byText].map(([text, same]) => [text, union(same)]));
  node.parameter = parameters.length === 0 ? undefined : union(parameters);
  node.sources = undefined;
  return true;
}

function union(nodes: readonly Node[]): Node {
  const [only] = nodes;
  if (only !== undefined && nodes.length === 1) return only;
  const all = newNode();
  for (const node of nodes) {
    all.all = joined(all.all, node.all);
    all.rest = joined(all.rest, node.rest);
    all.end = joined(all.end, node.end);
  }
  all.sources = nodes;
  return all;
}

function othersIn(nodes: Iterable<Node>, owner: string): number {
  let count = 0;
  for (const { all } of nodes) if (isOthers(all, owner)) count += 1;
  return count;
}
