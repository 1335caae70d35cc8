import { type Looks, OwnedPaths } from '../match/owned-paths.ts';
import type { PathTemplate } from '../match/path-template.ts';
import { suffixesOf } from './claims.ts';

/**
 * Who holds what in one part: namespaces are in each other's way only where both hosts and paths overlap.
 */
export class PartClaims {
  readonly #exact = new Map<string, OwnedPaths>();
  readonly #wildcards = new Map<string, OwnedPaths>();
  /** Paths of every host below a name. */
  readonly #below = new Map<string, OwnedPaths>();

  /** @param host canonical, `*.` for a wildcard */
  add(host: string, template: PathTemplate, namespace: string): void {
    const isWildcard = host.startsWith('*.');
    const name = isWildcard ? host.slice(2) : host;
    pathsIn(isWildcard ? this.#wildcards : this.#exact, name).add(template, namespace);
    for (const suffix of suffixesOf(name)) pathsIn(this.#below, suffix).add(template, namespace);
  }

  /** Whether another namespace holds some path of it. */
  isInTheWay(host: string, template: PathTemplate, { namespace, looks }: Asking): boolean {
    const meets = (paths: OwnedPaths | undefined): boolean => paths?.meetsOther(template, namespace, looks) === true;
    const isWildcard = host.startsWith('*.');
    const name = isWildcard ? host.slice(2) : host;
    if (isWildcard && (meets(this.#below.get(name)) || meets(this.#wildcards.get(name)))) return true;
    if (!isWildcard && meets(this.#exact.get(name))) return true;
    return suffixesOf(name).some((suffix) => meets(this.#wildcards.get(suffix)));
  }
}

interface Asking {
  readonly namespace: string;
  readonly looks: Looks;
}

function pathsIn(all: Map<string, OwnedPaths>, name: string): OwnedPaths {
  let paths = all.get(name);
  if (paths === undefined) {
    paths = new OwnedPaths();
    all.set(name, paths);
  }
  return paths;
}
