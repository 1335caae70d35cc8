import type { Breathe } from '../core/breather.ts';
import type { NamespaceView } from '../core/evaluation.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import { ConsumerKeys } from '../phases/authn/consumer-keys.ts';
import type { ConsumerInput, SecretLookup } from '../phases/authn/consumers.ts';
import { missingRole } from '../phases/authz/missing-role.ts';
import { compilePermissions } from '../phases/authz/permissions.ts';
import { type CompiledRoles, compileRoles, type RoleInput } from '../phases/authz/role-index.ts';
import { type Live, LiveSpecs } from './live-specs.ts';
import {
  missingSubjects,
  type NamedPolicy,
  namedPolicies,
  type Subjects,
  subjectNotFound,
  subjectsOf,
} from './missing-references.ts';
import { MAX_SECRETS, NamedSecrets } from './named-secrets.ts';
import type { SourceObject } from './object.ts';
import { type ObjectBudget, ObjectBudgets } from './object-budget.ts';
import { type ApiConsumerSpec, apiConsumerSpec } from './resource/api-consumer.ts';
import { type ApiRoleBindingSpec, apiRoleBindingSpec, apiRoleSpec } from './resource/api-role.ts';
import type { KindName } from './resource/kinds.ts';
import { parseSpec } from './resource/parse-spec.ts';
import { unreadConsumer, unreadConsumers, unreadRoles } from './unread-spec.ts';

/** Kinds whose objects are live, within one namespace: there is no last good version of them. */
const LIVE_KINDS = ['APIConsumer', 'APIRole', 'APIRoleBinding'] as const satisfies readonly KindName[];
export type LiveKind = (typeof LIVE_KINDS)[number];

export const isLiveKind = (kind: string): kind is LiveKind => LIVE_KINDS.some((live) => live === kind);

export interface NamespaceContext {
  readonly secrets: SecretLookup;
  readonly clusterIssuer: string | undefined;
  /** Awaited between objects, so that compiling never keeps a check waiting. */
  readonly breathe: Breathe;
}

export interface CompiledNamespace {
  readonly view: NamespaceView;
  readonly roles: Pick<CompiledRoles, 'defined' | 'bound'>;
  /** Of every object that it was compiled from. */
  readonly problems: ReadonlyMap<SourceObject, readonly Problem[]>;
  /** Policies that its roles name: these come and go without it being compiled again. */
  readonly policyRefs: ReadonlyMap<SourceObject, readonly NamedPolicy[]>;
}

/** A role as it is compiled, with what it names. */
interface ReadRole extends RoleInput {
  readonly policyRefs: readonly NamedPolicy[];
}

/** Live objects of one namespace, as its sources gave them. Bindings, consumers and roles have no last good version. */
export class NamespaceObjects {
  readonly #objects: Readonly<Record<LiveKind, Map<string, SourceObject>>> = {
    APIConsumer: new Map(),
    APIRole: new Map(),
    APIRoleBinding: new Map(),
  };
  readonly #consumers = new LiveSpecs<ApiConsumerSpec>((object, problems) =>
    parseSpec(apiConsumerSpec, object.spec, problems),
  );
  readonly #roles = new LiveSpecs<ReadRole>(readRole);
  readonly #bindings = new LiveSpecs<ApiRoleBindingSpec>((object, problems) =>
    parseSpec(apiRoleBindingSpec, object.spec, problems),
  );

  readonly #keys: ConsumerKeys;
  /** The same for a consumer while it does not change. */
  readonly #inputs = new WeakMap<Live<ApiConsumerSpec>, ConsumerInput>();
  #secretsVersion = 0;
  readonly #budget: ObjectBudgets;
  readonly #named: NamedSecrets;
  /** Secrets that were to be followed when it was last compiled. */
  #followed: ReadonlySet<string> | undefined = undefined;

  /** @param budget what it may have; undefined: as much as it likes */
  constructor(namespace: string, budget?: ObjectBudget) {
    this.#keys = new ConsumerKeys(namespace);
    this.#budget = new ObjectBudgets(budget);
    this.#named = new NamedSecrets(budget !== undefined);
  }

  apply(kind: LiveKind, object: SourceObject): void {
    this.#objects[kind].set(object.metadata.name, object);
  }

  delete(kind: LiveKind, name: string): void {
    this.#objects[kind].delete(name);
  }

  /** What a look-up of Secrets finds is another now. */
  secretChanged(): void {
    this.#secretsVersion += 1;
  }

  *all(): Iterable<SourceObject> {
    for (const objects of Object.values(this.#objects)) yield* objects.values();
  }

  /** Secrets to follow; the same set while they are the same. */
  secretNames(): ReadonlySet<string> {
    this.#followed ??= this.#named.atOnce([...this.#objects.APIConsumer.values()]);
    return this.#followed;
  }

  /** Compiles the objects as they are when it is called; what changes while it waits is the next one's. */
  async compile({ secrets, clusterIssuer, breathe }: NamespaceContext): Promise<CompiledNamespace> {
    const objects = [...this.all()];
    await this.#follow(objects, breathe);
    const secretsVersion = this.#secretsVersion;
    const over = await this.#budget.over(objects, breathe);
    const within = (kind: LiveKind): SourceObject[] =>
      objects.filter((object) => object.kind === kind && !over.has(object));
    const refused = (kind: LiveKind): readonly SourceObject[] =>
      [...over.keys()].filter((object) => object.kind === kind);
    const consumers = await this.#consumers.read(within('APIConsumer'), breathe);
    const roles = await this.#roles.read(within('APIRole'), breathe);
    const bindings = await this.#bindings.read(within('APIRoleBinding'), breathe);
    const tooMany = { consumers: refused('APIConsumer'), bindings: refused('APIRoleBinding') };
    const compiledConsumers = await this.#keys.compile(
      consumers.map((live) => this.#inputOf(live)),
      {
        secrets: this.#within(guarded(secrets)),
        secretsVersion,
        uncounted: unreadConsumers(tooMany.consumers),
        breathe,
      },
    );
    const unread = bindings.filter(({ spec }) => spec === undefined).map(({ object }) => object);
    const compiledRoles = await compileRoles(specsOf(roles), specsOf(bindings), {
      clusterIssuer,
      unread: unreadRoles([...unread, ...tooMany.bindings]),
      breathe,
    });
    const subjects = subjectsOf([
      ...consumers.map(({ object, spec }) => ({ name: object.metadata.name, spec })),
      ...tooMany.consumers.map(({ metadata: { name } }) => ({ name, spec: undefined })),
    ]);
    const problems = new Map<SourceObject, readonly Problem[]>(
      [...over].map(([object, problem]) => [object, [problem]]),
    );
    const tell = (live: Live<unknown>, list: ProblemList | undefined): void => {
      problems.set(live.object, [...live.problems, ...(list?.problems ?? [])]);
    };
    for (const live of consumers) tell(live, compiledConsumers.problems.get(live.object.metadata.name));
    for (const live of roles) tell(live, compiledRoles.problems.get(live.object.metadata.name));
    for (const live of bindings) {
      await breathe();
      tell(live, unresolved(live, { ...compiledRoles, subjects }));
    }
    const view: NamespaceView = Object.freeze({ consumers: compiledConsumers.index, roles: compiledRoles.index });
    const policyRefs = new Map(roles.flatMap(({ object, spec }) => (spec ? [[object, spec.policyRefs] as const] : [])));
    return { view, roles: compiledRoles, problems, policyRefs };
  }

  /** A key whose Secret is followed no longer, or is again, is another one. */
  async #follow(objects: readonly SourceObject[], breathe: Breathe): Promise<void> {
    const consumers = objects.filter(({ kind }) => kind === 'APIConsumer');
    const names = await this.#named.of(consumers, breathe);
    if (this.#followed?.size === names.size && names.isSubsetOf(this.#followed)) return;
    this.#followed = names;
    this.#secretsVersion += 1;
  }

  #within(secrets: SecretLookup): SecretLookup {
    const followed = this.secretNames();
    return (ref, consumer) => (followed.has(ref.name) ? secrets(ref, consumer) : tooManySecrets(ref.name));
  }

  #inputOf(live: Live<ApiConsumerSpec>): ConsumerInput {
    const { object, spec } = live;
    let input = this.#inputs.get(live);
    if (input === undefined) {
      input = spec === undefined ? unreadConsumer(object) : { name: object.metadata.name, ...spec };
      this.#inputs.set(live, input);
    }
    return input;
  }
}

/** Permissions are compiled with the spec, and so no more often: they are most of the work. */
async function readRole(
  { metadata, spec: given }: SourceObject,
  problems: ProblemList,
  breathe: Breathe,
): Promise<ReadRole | undefined> {
  const spec = parseSpec(apiRoleSpec, given, problems);
  if (spec === undefined) return undefined;
  const permissions = await compilePermissions(spec.permissions, problems.at('permissions'), breathe);
  return { name: metadata.name, inherits: spec.inherits, permissions, policyRefs: namedPolicies(spec) };
}

function specsOf<S>(all: readonly Live<S>[]): S[] {
  return all.map(({ spec }) => spec).filter((spec) => spec !== undefined);
}

function unresolved(
  { spec }: Live<ApiRoleBindingSpec>,
  { defined, subjects }: Pick<CompiledRoles, 'defined'> & { readonly subjects: Subjects },
): ProblemList | undefined {
  if (spec === undefined) return undefined;
  const problems = new ProblemList();
  if (!defined.has(spec.roleRef.name))
    problems.at('roleRef').reference('RoleNotFound', missingRole(spec.roleRef.name, defined));
  problems.problems.push(...missingSubjects(spec, subjects).map(subjectNotFound));
  return problems;
}

/** A Secret that makes the look-up throw is one key's problem. What was thrown is not told: it may hold the key. */
function guarded(secrets: SecretLookup): SecretLookup {
  return (ref, consumer) => {
    try {
      return secrets(ref, consumer);
    } catch {
      return { reason: 'Invalid', message: `The Secret "${ref.name}" cannot be read` };
    }
  };
}

const tooManySecrets = (name: string): ReturnType<SecretLookup> => ({
  reason: 'QuotaExceeded',
  message: `The Secret "${name}" is not read: consumers of a namespace may name ${MAX_SECRETS} Secrets, and older ones name as many. Put several keys into one Secret, or give the SHA-256 of the key (sha256)`,
});
