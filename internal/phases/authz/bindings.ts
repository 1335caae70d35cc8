import type { Breathe } from '../../core/breather.ts';
import type { Identity } from '../../core/identity.ts';

/** One APIRoleBinding, as its namespace's index needs it. */
export interface BindingInput {
  readonly roleRef: { readonly name: string };
  readonly subjects: readonly SubjectInput[];
}

/** Exactly one member is set. */
export interface SubjectInput {
  readonly consumer?: { readonly name: string } | undefined;
  readonly consumerGroup?: { readonly name: string } | undefined;
  readonly claim?: ClaimSubject | undefined;
  readonly spiffe?: { readonly id: string } | undefined;
  readonly serviceAccount?: { readonly namespace: string; readonly name: string } | undefined;
}

interface ClaimSubject {
  readonly issuer: string;
  readonly path: readonly string[];
  readonly value: string;
}

export interface Bindings {
  /** Every role that some binding names. */
  readonly roles: ReadonlySet<string>;
  /** Roles bound to an identity itself, without inheritance. Each kind of subject has one source, never a claim of another issuer. */
  identityRoles(identity: Identity): readonly string[];
  /** Roles bound to the verified certificate's SPIFFE id; undefined when there are none. */
  peerRoles(principal: string): readonly string[] | undefined;
}

const NONE: readonly string[] = Object.freeze([]);

class RolesBy {
  readonly #roles = new Map<string, string[]>();

  add(subject: string, role: string): void {
    const roles = this.#roles.get(subject);
    if (roles === undefined) this.#roles.set(subject, [role]);
    else roles.push(role);
  }

  get(subject: string): readonly string[] | undefined {
    return this.#roles.get(subject);
  }
}

/** @param options `breathe` is awaited between bindings, so that compiling never keeps a check waiting */
export async function compileBindings(
  bindings: readonly BindingInput[],
  { clusterIssuer, breathe }: { readonly clusterIssuer: string | undefined; readonly breathe: Breathe },
): Promise<Bindings> {
  const roles = new Set<string>();
  const consumers = new RolesBy();
  const consumerGroups = new RolesBy();
  const spiffe = new RolesBy();
  const serviceAccounts = new RolesBy();
  const claims: { readonly claim: ClaimSubject; readonly role: string }[] = [];
  for (const { roleRef, subjects } of bindings) {
    await breathe();
    roles.add(roleRef.name);
    for (const subject of subjects) {
      if (subject.consumer) consumers.add(subject.consumer.name, roleRef.name);
      if (subject.consumerGroup) consumerGroups.add(subject.consumerGroup.name, roleRef.name);
      if (subject.claim) claims.push({ claim: subject.claim, role: roleRef.name });
      if (subject.spiffe) spiffe.add(subject.spiffe.id, roleRef.name);
      if (subject.serviceAccount) {
        const { namespace, name } = subject.serviceAccount;
        serviceAccounts.add(`system:serviceaccount:${namespace}:${name}`, roleRef.name);
      }
    }
  }
  const ofConsumer = (identity: Identity): readonly string[] => [
    ...(consumers.get(identity.consumer ?? '') ?? NONE),
    ...identity.groups.flatMap((group) => consumerGroups.get(group) ?? NONE),
  ];
  const ofToken = (identity: Identity): readonly string[] => {
    const found = claims.filter(({ claim }) => claim.issuer === identity.issuer && holds(identity, claim));
    const account = clusterIssuer !== undefined && identity.issuer === clusterIssuer ? identity.subject : null;
    return [...found.map(({ role }) => role), ...(account === null ? NONE : (serviceAccounts.get(account) ?? NONE))];
  };
  return {
    roles,
    identityRoles(identity) {
      if (identity.kind === 'apiKey') return ofConsumer(identity);
      return identity.kind === 'jwt' ? ofToken(identity) : NONE;
    },
    peerRoles: (principal) => (principal.startsWith('spiffe://') ? spiffe.get(principal) : undefined),
  };
}

/** Whether the claim at the path is the value, or a list that has it. */
function holds(identity: Identity, { path, value }: ClaimSubject): boolean {
  let claim: unknown = identity.claims;
  for (const step of path) {
    if (typeof claim !== 'object' || claim === null || !Object.hasOwn(claim, step)) return false;
    claim = (claim as Record<string, unknown>)[step];
  }
  return claim === value || (Array.isArray(claim) && claim.includes(value));
}
