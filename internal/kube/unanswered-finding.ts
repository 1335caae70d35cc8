import { member } from '../core/member.ts';

/** A class that policies name of which no instance has said anything. */
export interface UnansweredClass {
  readonly className: string;
  /** They select Pods by `workloadSelector`: their class is one of sidecars. Such a class has an entry apart. */
  readonly isForPods: boolean;
  /** Other policies of the class have a status: an instance serves it, and these not. */
  readonly isServed: boolean;
  readonly count: number;
  /** There may be more of them than were counted. */
  readonly isAtLeast: boolean;
  /** Some of them, `namespace/name` each. */
  readonly policies: readonly string[];
}

/** Policies that are remembered from one look to the next, and classes that they may name: of each namespace. */
const REMEMBERED = 64;
const CLASSES_OF_NAMESPACE = 16;
/** Nobody makes so many namespaces by writing policies. */
const MAX_NAMESPACES = 1000;
const MAX_NAMED = 3;
const MAX_CLASSES = 16;
/** Classes of which a status tells that they are served. */
const MAX_SERVED = 1000;

/** Policies of one namespace and class without a status that two looks found. */
interface Group {
  readonly className: string;
  readonly isForPods: boolean;
  count: number;
  isCut: boolean;
  readonly policies: string[];
}

interface OfNamespace {
  remembered: number;
  /** By class, those that select Pods apart. */
  readonly groups: Map<string, Group>;
}

/**
 * What one look found. It is bounded namespace by namespace, and told of those first that have fewest, so that how many
 * classes one of them names hides nobody else's.
 */
export class UnansweredFinding {
  /** The uids of policies without a status. */
  readonly unanswered = new Set<string>();
  readonly #own: string;
  readonly #before: ReadonlySet<string>;
  readonly #namespaces = new Map<string, OfNamespace>();
  readonly #served = new Set<string>();

  /**
   * @param own the class that is served here
   * @param before what the look before found: nothing else is told
   */
  constructor(own: string, before: ReadonlySet<string>) {
    this.#own = own;
    this.#before = before;
  }

  /** @param item an APIPolicy as the API server has it, or anything else */
  take(item: unknown): void {
    const metadata = member(item, 'metadata');
    const [uid, className] = [member(metadata, 'uid'), member(member(item, 'spec'), 'className') ?? 'postern'];
    const conditions = member(member(item, 'status'), 'conditions');
    if (typeof uid !== 'string' || typeof className !== 'string' || className === this.#own) return;
    if (Array.isArray(conditions) && conditions.length > 0) {
      if (this.#served.size < MAX_SERVED) this.#served.add(className);
      return;
    }
    const isForPods = member(member(member(item, 'spec'), 'target'), 'workloadSelector') !== undefined;
    const namespace = String(member(metadata, 'namespace'));
    const found = this.#in(namespace);
    const group = found && groupOf(found, { className, isForPods });
    if (found === undefined || group === undefined) return;
    if (found.remembered >= REMEMBERED) {
      group.isCut = true;
      return;
    }
    found.remembered += 1;
    this.unanswered.add(uid);
    if (!this.#before.has(uid)) return;
    group.count += 1;
    if (group.policies.length < MAX_NAMED) group.policies.push(`${namespace}/${String(member(metadata, 'name'))}`);
  }

  #in(namespace: string): OfNamespace | undefined {
    let found = this.#namespaces.get(namespace);
    if (found === undefined) {
      if (this.#namespaces.size >= MAX_NAMESPACES) return undefined;
      found = { remembered: 0, groups: new Map() };
      this.#namespaces.set(namespace, found);
    }
    return found;
  }

  /** By their names: in whatever order they are listed, they are the same. */
  classes(): readonly UnansweredClass[] {
    const byClass = new Map<string, Group[]>();
    const fewestFirst = [...this.#namespaces.values()].map(told).sort((a, b) => a.length - b.length);
    for (const group of fewestFirst.flat()) {
      const groups = byClass.get(keyOf(group));
      if (groups !== undefined) groups.push(group);
      else if (byClass.size < MAX_CLASSES) byClass.set(keyOf(group), [group]);
    }
    const all = [...byClass].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return all.map(([, groups]) => sumOf(groups, this.#served));
  }
}

const keyOf = ({ className, isForPods }: Pick<Group, 'className' | 'isForPods'>): string => `${className} ${isForPods}`;

function groupOf({ groups }: OfNamespace, of: Pick<Group, 'className' | 'isForPods'>): Group | undefined {
  const key = keyOf(of);
  let group = groups.get(key);
  if (group === undefined) {
    if (groups.size >= CLASSES_OF_NAMESPACE) return undefined;
    group = { ...of, count: 0, isCut: false, policies: [] };
    groups.set(key, group);
  }
  return group;
}

const told = ({ groups }: OfNamespace): readonly Group[] => [...groups.values()].filter(({ count }) => count > 0);

function sumOf(groups: readonly Group[], served: ReadonlySet<string>): UnansweredClass {
  const { className = '', isForPods = false } = groups[0] ?? {};
  const fewestFirst = groups.toSorted((a, b) => a.count - b.count);
  return {
    className,
    isForPods,
    isServed: served.has(className),
    count: groups.reduce((sum, { count }) => sum + count, 0),
    isAtLeast: groups.some(({ isCut }) => isCut),
    policies: fewestFirst.flatMap(({ policies }) => policies).slice(0, MAX_NAMED),
  };
}
