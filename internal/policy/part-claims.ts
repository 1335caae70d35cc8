import { isOthers, joined, type Looks, OwnedPaths, type Owner } from '../match/owned-paths.ts';
import type { PathTemplate } from '../match/path-template.ts';
import { suffixesOf } from './claims.ts';
import type { Part } from './part.ts';

/** What is held of one host as it was claimed: a namespace's paths are put in order when another one asks for some. */
class HeldHost {
  readonly #paths = new OwnedPaths();
  /** By namespace. */
  readonly #unread = new Map<string, (readonly PathTemplate[])[]>();
  owner: Owner = undefined;

  add(templates: readonly PathTemplate[], namespace: string): void {
    const unread = this.#unread.get(namespace);
    if (unread === undefined) this.#unread.set(namespace, [templates]);
    else unread.push(templates);
    this.owner = joined(this.owner, namespace);
  }

  meetsOther(template: PathTemplate, { namespace, looks }: Asking): boolean {
    // What is one's own alone is passed over, however much it is.
    return this.#readFor(namespace) && this.#paths.meetsOther(template, namespace, looks);
  }

  reachesBeyond(template: PathTemplate, { namespace, looks }: Asking): boolean {
    return this.#readFor(namespace) && this.#paths.reachesBeyond(template, namespace, looks);
  }

  /** Puts the paths of others in order; whether there are any. */
  #readFor(namespace: string): boolean {
    if (!isOthers(this.owner, namespace)) return false;
    for (const [owner, unread] of this.#unread) {
      if (owner === namespace) continue;
      for (const templates of unread) for (const one of templates) this.#paths.add(one, owner);
      this.#unread.delete(owner);
    }
    return true;
  }
}

/** All that is held below a name: each host is entered once, however many paths it has and whatever labels. */
interface Below {
  readonly hosts: HeldHost[];
  owner: Owner;
}

interface Asking {
  readonly namespace: string;
  readonly looks: Looks;
}

/**
 * Who holds what in one part: namespaces are in each other's way only where both hosts and paths overlap.
 */
export class PartClaims {
  readonly #exact = new Map<string, HeldHost>();
  readonly #wildcards = new Map<string, HeldHost>();
  readonly #below = new Map<string, Below>();

  /** @param host canonical, `*.` for a wildcard */
  add(host: string, templates: readonly PathTemplate[], namespace: string): void {
    const isWildcard = host.startsWith('*.');
    const name = isWildcard ? host.slice(2) : host;
    const hosts = isWildcard ? this.#wildcards : this.#exact;
    let held = hosts.get(name);
    if (held === undefined) {
      held = new HeldHost();
      hosts.set(name, held);
    }
    const before = held.owner;
    held.add(templates, namespace);
    if (held.owner !== before) this.#noteBelow(name, held, { namespace, isNew: before === undefined });
  }

  /** Whether another namespace holds some path of it; also true once there are no looks left to tell. */
  isInTheWay(host: string, template: PathTemplate, asking: Asking): boolean {
    const meets = (held: HeldHost | undefined): boolean => held?.meetsOther(template, asking) === true;
    const isWildcard = host.startsWith('*.');
    const name = isWildcard ? host.slice(2) : host;
    if (isWildcard && (meets(this.#wildcards.get(name)) || this.#someBelow(name, asking, meets))) return true;
    if (!isWildcard && meets(this.#exact.get(name))) return true;
    return suffixesOf(name).some((suffix) => meets(this.#wildcards.get(suffix)));
  }

  /**
   * Whether another namespace holds some path of it together with a host or a path that is not of it; also true once there
   * are no looks left to tell.
   */
  reachesBeyond(host: string, template: PathTemplate, asking: Asking): boolean {
    const reaches = (held: HeldHost | undefined): boolean => held?.reachesBeyond(template, asking) === true;
    const isWildcard = host.startsWith('*.');
    const name = isWildcard ? host.slice(2) : host;
    if (reaches((isWildcard ? this.#wildcards : this.#exact).get(name))) return true;
    if (isWildcard && this.#someBelow(name, asking, reaches)) return true;
    return suffixesOf(name).some((suffix) => this.#wildcards.get(suffix)?.meetsOther(template, asking) === true);
  }

  #someBelow(name: string, { namespace, looks }: Asking, isWanted: (held: HeldHost) => boolean): boolean {
    const below = this.#below.get(name);
    if (below === undefined || !isOthers(below.owner, namespace)) return false;
    return below.hosts.some((held) => {
      looks.left -= 1;
      return looks.left < 0 || isWanted(held);
    });
  }

  #noteBelow(name: string, held: HeldHost, { namespace, isNew }: { namespace: string; isNew: boolean }): void {
    for (const suffix of suffixesOf(name)) {
      const below = this.#below.get(suffix) ?? { hosts: [], owner: undefined };
      this.#below.set(suffix, below);
      below.owner = joined(below.owner, namespace);
      if (isNew) below.hosts.push(held);
    }
  }
}

/** Of this part; none yet where nobody has claimed anything of it. */
export function claimsOf(all: Map<Part, PartClaims>, part: Part): PartClaims {
  let claims = all.get(part);
  if (claims === undefined) {
    claims = new PartClaims();
    all.set(part, claims);
  }
  return claims;
}
