type Named = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>;

/** Up to so many names are compared one by one; more are folded once. */
const FEW = 32;
/** By what holds many names: folded, with the one that folds to it, or null where there are several. */
const indexes = new WeakMap<Named, Map<string, string | null>>();

/**
 * Whether some name is another one in other letters. Readers that mind no case (Go's `encoding/json`, ASP.NET) take
 * `Limit` for `limit`: a rule that looked at one of them would be evaded by the other.
 *
 * @param named holds the names; does not change any more
 */
export function hasOtherCase(named: Named, name: string): boolean {
  const folded = fold(name);
  const index = indexes.get(named) ?? indexOf(named);
  if (index instanceof Map) {
    const known = index.get(folded);
    return known === null || (known !== undefined && known !== name);
  }
  return index.some((other) => other.length === name.length && other !== name && fold(other) === folded);
}

/** The names themselves where they are few. */
function indexOf(named: Named): readonly string[] | Map<string, string | null> {
  const names = named instanceof Map ? [...named.keys()] : Object.keys(named);
  if (names.length <= FEW) return names;
  const index = new Map<string, string | null>();
  for (const name of names) {
    const folded = fold(name);
    index.set(folded, index.has(folded) ? null : name);
  }
  indexes.set(named, index);
  return index;
}

/** `ſ` is an `S`, and the sign of Kelvin a `k`, as for readers that fold. */
const fold = (text: string): string => text.toUpperCase().toLowerCase();
