import type { Breathe } from '../core/breather.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import { type CompiledNamespace, type LiveKind, NamespaceObjects } from './namespace-objects.ts';
import type { SourceObject } from './object.ts';
import type { ObjectBudget } from './object-budget.ts';
import { refusingNamespace } from './refusing-namespace.ts';

export interface NamespacesOptions {
  /** What the consumers, roles and bindings of each namespace may come to; undefined: as much as they like. */
  readonly objectBudget?: ObjectBudget | undefined;
  readonly clusterIssuer: string | undefined;
  readonly secrets: (namespace: string) => SecretLookup;
}

/** Live objects of every namespace. One is compiled again only when something of it changed. */
export class Namespaces {
  readonly #options: NamespacesOptions;
  readonly #objects = new Map<string, NamespaceObjects>();
  readonly #compiled = new Map<string, CompiledNamespace>();
  /** Namespaces whose objects or secrets changed since they were compiled. */
  readonly #dirty = new Set<string>();

  constructor(options: NamespacesOptions) {
    this.#options = options;
  }

  apply(kind: LiveKind, object: SourceObject): void {
    const { namespace } = object.metadata;
    const objects = this.#objects.get(namespace) ?? new NamespaceObjects(namespace, this.#options.objectBudget);
    this.#objects.set(namespace, objects);
    objects.apply(kind, object);
    this.#dirty.add(namespace);
  }

  delete(kind: LiveKind, { namespace, name }: { readonly namespace: string; readonly name: string }): void {
    this.#objects.get(namespace)?.delete(kind, name);
    this.#dirty.add(namespace);
  }

  secretChanged(namespace: string): void {
    this.#objects.get(namespace)?.secretChanged();
    this.#dirty.add(namespace);
  }

  /** Secrets that consumers name, by namespace. */
  secretNames(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map([...this.#objects].map(([namespace, objects]) => [namespace, objects.secretNames()]));
  }

  /**
   * Every namespace that holds something, and those of these policies.
   *
   * @param breathe awaited between objects
   */
  async compile(
    policies: readonly { readonly object: SourceObject }[],
    breathe: Breathe,
  ): Promise<ReadonlyMap<string, CompiledNamespace>> {
    const wanted = new Set(this.#objects.keys());
    for (const { object } of policies) wanted.add(object.metadata.namespace);
    for (const namespace of wanted) {
      await breathe();
      if (this.#compiled.has(namespace) && !this.#dirty.has(namespace)) continue;
      this.#compiled.set(namespace, await this.#compileOne(namespace, breathe));
    }
    for (const namespace of this.#compiled.keys()) if (!wanted.has(namespace)) this.#compiled.delete(namespace);
    return this.#compiled;
  }

  async #compileOne(namespace: string, breathe: Breathe): Promise<CompiledNamespace> {
    const objects = this.#objects.get(namespace) ?? new NamespaceObjects(namespace);
    const { clusterIssuer, secrets } = this.#options;
    // Before it is compiled: what changes meanwhile makes it dirty again.
    this.#dirty.delete(namespace);
    try {
      return await objects.compile({ secrets: secrets(namespace), clusterIssuer, breathe });
    } catch (error) {
      this.#dirty.add(namespace);
      return refusingNamespace(objects.all(), error);
    }
  }
}
