import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { member } from '../core/member.ts';
import type { FileObject, LocatedProblem } from '../files/parse-file.ts';
import { isAuthenticationGiven, isHinted, lintHints } from './lint-hints.ts';
import { type HostGrantsRule, loadOffline } from './offline.ts';
import { readPolicyFiles } from './policy-files.ts';

export interface Linted {
  readonly problems: readonly LocatedProblem[];
  /** Objects that were read. */
  readonly count: number;
}

export const DEFAULT_CLASS = 'postern';
/** As an instance that knows everything: offline nobody knows what the real one will not. */
const EDGE = {
  clientAddress: { kind: 'direct' },
  bodiesForwarded: true,
  transportTls: false,
  trustContextExtensions: true,
} as const;

/**
 * Everything that is wrong with the policies of files and directories, as the instances of their classes would say. What
 * only an instance of several namespaces says is a warning: nobody knows whether this one is.
 *
 * @param className only this class; undefined: every class that a policy names
 * @param hostGrants who may claim a host; undefined: as `loadOffline` reads it from the objects
 * @throws {PosternError} ERR_POSTERN_FILE when nothing can be read, or no policy is of the class
 */
export async function lintFiles(
  paths: readonly string[],
  className: string | undefined,
  hostGrants?: HostGrantsRule,
): Promise<Linted> {
  const { objects, problems } = await readPolicyFiles(paths);
  const classes = classesOf(objects);
  if (className !== undefined && !classes.has(className) && problems.length === 0) throw noneOf(className, classes);
  const isGiven = isAuthenticationGiven(objects);
  const isSaidElsewhere = (problem: LocatedProblem): boolean =>
    isHinted(problem) ||
    (isGiven && problem.reason === 'NobodyAllowed' && problem.message.startsWith('Without authentication '));
  const sidecarClasses = sidecarClassesOf(objects);
  // What is wrong with shared objects, every class says.
  const found = new Map<string, LocatedProblem>();
  const wanted = className === undefined ? [...classes] : [className];
  const names = wanted.length === 0 ? [DEFAULT_CLASS] : wanted;
  for (const isOpen of [true, false]) {
    for (const name of names) {
      const isSidecarClass = sidecarClasses.has(name);
      // A sidecar serves one namespace.
      if (isSidecarClass && !isOpen) continue;
      const offline = await loadOffline({
        objects,
        className: name,
        edge: EDGE,
        clock: systemClock,
        isOpen,
        isSidecarClass,
        hostGrants,
      });
      await offline.close();
      for (const problem of offline.problems) {
        if (isSaidElsewhere(problem)) continue;
        const key = JSON.stringify(problem);
        if (!found.has(key)) found.set(key, isOpen ? problem : asWarning(problem));
      }
    }
  }
  const hints = lintHints(objects, { isWhole: problems.length === 0 });
  return { problems: [...problems, ...found.values(), ...hints], count: objects.length };
}

const asWarning = (problem: LocatedProblem): LocatedProblem => ({
  ...problem,
  severity: 'warning',
  message: `${problem.message}; so says an instance that serves several namespaces`,
});

/** Classes of the policies, in the order of the files. */
export function classesOf(objects: readonly FileObject[]): ReadonlySet<string> {
  const policies = objects.filter(({ object }) => object.kind === 'APIPolicy');
  const named = policies.map(({ object }) => (object.spec as { readonly className?: unknown } | null)?.className);
  return new Set(named.map((name) => (typeof name === 'string' ? name : DEFAULT_CLASS)));
}

/**
 * Classes whose policies all select Pods: of sidecars, most likely. Never the default one, which is the gateways': a
 * policy that forgot its class is told so.
 */
function sidecarClassesOf(objects: readonly FileObject[]): ReadonlySet<string> {
  const classes = new Set(classesOf(objects));
  classes.delete(DEFAULT_CLASS);
  for (const { object } of objects) {
    const isOfPods = member(member(object.spec, 'target'), 'workloadSelector') !== undefined;
    if (object.kind === 'APIPolicy' && !isOfPods) classes.delete(String(member(object.spec, 'className')));
  }
  return classes;
}

/** What to say where no policy is of the class. */
export const noneOf = (className: string, classes: ReadonlySet<string>): PosternError =>
  new PosternError(
    'ERR_POSTERN_FILE',
    `no policy of the class "${className}": ${classes.size === 0 ? 'there is none at all' : `the files hold policies of ${[...classes].join(', ')}`}`,
  );
