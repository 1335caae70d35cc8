/** Roles as far as inheritance goes. */
export type Inheritance = ReadonlyMap<string, { readonly inherits: readonly { readonly name: string }[] }>;

/** Everything `name` inherits, itself first. */
export function inheritedBy(inputs: Inheritance, name: string): string[] {
  const seen = new Set([name]);
  for (const role of seen) {
    for (const parent of inputs.get(role)?.inherits ?? []) seen.add(parent.name);
  }
  return [...seen];
}
