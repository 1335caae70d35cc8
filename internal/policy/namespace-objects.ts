import type { NamespaceView } from '../core/evaluation.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import { compileConsumers, type SecretLookup } from '../phases/authn/consumers.ts';
import { type CompiledRoles, compileRoles } from '../phases/authz/role-index.ts';
import type { SourceObject } from './object.ts';
import type { ApiConsumerSpec } from './resource/api-consumer.ts';
import type { ApiRoleBindingSpec, ApiRoleSpec } from './resource/api-role.ts';
import { KINDS, type KindName } from './resource/kinds.ts';
import { parseSpec } from './resource/parse-spec.ts';

type Shared = Exclude<KindName, 'APIPolicy'>;

/** Live objects of one namespace, as its sources gave them. Bindings, consumers and roles have no last good version. */
export class NamespaceObjects {
  readonly #namespace: string;
  readonly #objects: Readonly<Record<Shared, Map<string, SourceObject>>> = {
    APIConsumer: new Map(),
    APIRole: new Map(),
    APIRoleBinding: new Map(),
  };

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  apply(kind: Shared, object: SourceObject): void {
    this.#objects[kind].set(object.metadata.name, object);
  }

  delete(kind: Shared, name: string): void {
    this.#objects[kind].delete(name);
  }

  get isEmpty(): boolean {
    return Object.values(this.#objects).every((objects) => objects.size === 0);
  }

  *all(): Iterable<SourceObject> {
    for (const objects of Object.values(this.#objects)) yield* objects.values();
  }

  /** Secrets that consumers name. */
  secretNames(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const { spec } of this.#objects.APIConsumer.values()) {
      // Asked after every build: what a consumer names is read as it stands, and judged when it is compiled.
      const { keys } = (spec ?? {}) as {
        readonly keys?: readonly { readonly secretRef?: { readonly name?: unknown } }[];
      };
      for (const key of Array.isArray(keys) ? keys : []) {
        if (typeof key?.secretRef?.name === 'string') names.add(key.secretRef.name);
      }
    }
    return names;
  }

  compile({
    secrets,
    clusterIssuer,
  }: {
    readonly secrets: SecretLookup;
    readonly clusterIssuer: string | undefined;
  }): CompiledNamespace {
    const problems = new Map<SourceObject, Problem[]>();
    const consumers = this.#parse<ApiConsumerSpec>('APIConsumer', problems);
    const roles = this.#parse<ApiRoleSpec>('APIRole', problems);
    const bindings = this.#parse<ApiRoleBindingSpec>('APIRoleBinding', problems);
    const compiledConsumers = compileConsumers(
      consumers.map(({ object, spec }) => ({ name: object.metadata.name, ...spec })),
      secrets,
      this.#namespace,
    );
    const compiledRoles = compileRoles(
      roles.map(({ object, spec }) => ({ name: object.metadata.name, ...spec })),
      bindings.map(({ spec }) => spec),
      {
        clusterIssuer,
        unread: {
          roles: this.#unread('APIRole', roles, nameOf),
          bound: this.#unread('APIRoleBinding', bindings, boundRole),
        },
      },
    );
    for (const { object } of consumers) add(problems, object, compiledConsumers.problems.get(object.metadata.name));
    for (const { object } of roles) add(problems, object, compiledRoles.problems.get(object.metadata.name));
    for (const { object, spec } of bindings) {
      if (compiledRoles.defined.has(spec.roleRef.name)) continue;
      const list = new ProblemList();
      list.at('roleRef').reference('RoleNotFound', `No APIRole "${spec.roleRef.name}" in this namespace`);
      add(problems, object, list);
    }
    const view: NamespaceView = Object.freeze({ consumers: compiledConsumers.index, roles: compiledRoles.index });
    return { view, roles: compiledRoles, problems };
  }

  /** What stands for each object of a kind whose spec is wrong. */
  #unread<T>(kind: Shared, parsed: readonly Parsed<unknown>[], of: (object: SourceObject) => T): ReadonlySet<T> {
    const read = new Set(parsed.map(({ object }) => object));
    return new Set([...this.#objects[kind].values()].filter((object) => !read.has(object)).map(of));
  }

  #parse<S>(kind: Shared, problems: Map<SourceObject, Problem[]>): Parsed<S>[] {
    const parsed: Parsed<S>[] = [];
    for (const object of this.#objects[kind].values()) {
      const list = new ProblemList('spec', [...(object.problems ?? [])]);
      const isReadable = !list.hasErrors;
      const spec = parseSpec(KINDS[kind].spec, object.spec, list);
      problems.set(object, [...list.problems]);
      if (isReadable && spec !== undefined) parsed.push({ object, spec: spec as S });
    }
    return parsed;
  }
}

interface Parsed<S> {
  readonly object: SourceObject;
  readonly spec: S;
}

const nameOf = (object: SourceObject): string => object.metadata.name;

/** The role that a binding names, if that much of it can be read. */
function boundRole({ spec }: SourceObject): string | undefined {
  const name = (spec as { readonly roleRef?: { readonly name?: unknown } } | null | undefined)?.roleRef?.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

export interface CompiledNamespace {
  readonly view: NamespaceView;
  readonly roles: CompiledRoles;
  readonly problems: ReadonlyMap<SourceObject, readonly Problem[]>;
}

function add(problems: Map<SourceObject, Problem[]>, object: SourceObject, list: ProblemList | undefined): void {
  problems.get(object)?.push(...(list?.problems ?? []));
}
