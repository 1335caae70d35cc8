/**
 * Who holds which host, first come: a host with all under its wildcard belongs to one namespace. A claim from another
 * namespace that equals, narrows or widens a held one is refused.
 */
export class HostClaims {
  readonly #exact = new Map<string, string>();
  readonly #wildcards = new Map<string, string>();
  /** For every suffix of every held host: the namespaces that hold something below it. */
  readonly #below = new Map<string, Set<string>>();

  /**
   * Takes the host for the namespace.
   *
   * @param host canonical, `*.` for a wildcard
   * @returns the namespace in the way, if another one holds the host or a part of it
   */
  claim(host: string, namespace: string): string | undefined {
    const holder = this.holderInTheWay(host, namespace);
    if (holder !== undefined) return holder;
    const isWildcard = host.startsWith('*.');
    const name = isWildcard ? host.slice(2) : host;
    (isWildcard ? this.#wildcards : this.#exact).set(name, namespace);
    for (const suffix of isWildcard ? [name, ...suffixesOf(name)] : suffixesOf(name)) {
      const namespaces = this.#below.get(suffix);
      if (namespaces === undefined) this.#below.set(suffix, new Set([namespace]));
      else namespaces.add(namespace);
    }
    return undefined;
  }

  /** The namespace that a claim of this host would conflict with. */
  holderInTheWay(host: string, namespace: string): string | undefined {
    const other = (holder: string | undefined): string | undefined => (holder === namespace ? undefined : holder);
    if (!host.startsWith('*.')) return other(this.#exact.get(host)) ?? this.#wildcardAbove(host, namespace);
    const name = host.slice(2);
    const below = [...(this.#below.get(name) ?? [])].find((holder) => holder !== namespace);
    return below ?? other(this.#wildcards.get(name)) ?? this.#wildcardAbove(name, namespace);
  }

  #wildcardAbove(name: string, namespace: string): string | undefined {
    for (const suffix of suffixesOf(name)) {
      const holder = this.#wildcards.get(suffix);
      if (holder !== undefined && holder !== namespace) return holder;
    }
    return undefined;
  }
}

/** `b.c` and `c` for `a.b.c`. */
export function suffixesOf(name: string): string[] {
  const suffixes: string[] = [];
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) suffixes.push(name.slice(dot + 1));
  return suffixes;
}
