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
  identityRoles(identity: Identity): Iterable<string>;
  /** Roles bound to the verified certificate's SPIFFE id; undefined when there are none. */
  peerRoles(principal: string): Iterable<string> | undefined;
}

const NONE: readonly string[] = Object.freeze([]);

class RolesBy {
  readonly #roles = new Map<string, string[]>();

  add(subject: string, role: string): void {
    const roles = this.#roles.get(subject);
    if (roles === undefined) this.#roles.set(subject, [role]);
    // A binding may say a subject as often as it likes.
    else if (roles.at(-1) !== role) roles.push(role);
  }

  get(subject: string): readonly string[] | undefined {
    return this.#roles.get(subject);
  }
}

/**
 * Roles by claims of one issuer: a tree of the paths that bindings name, with the values at their ends. It is walked by
 * what a token holds, which is bounded, and never by what is bound.
 */
class RolesByClaim {
  readonly #steps = new Map<string, RolesByClaim>();
  readonly #values = new RolesBy();

  add({ path, value }: ClaimSubject, role: string): void {
    let end: RolesByClaim = this;
    for (const step of path) {
      let next = end.#steps.get(step);
      if (next === undefined) {
        next = new RolesByClaim();
        end.#steps.set(step, next);
      }
      end = next;
    }
    end.#values.add(value, role);
  }

  /** Adds the roles of every bound value that a claim is, or lists, and of those inside it. */
  collect(claim: unknown, found: Set<string>): void {
    for (const value of Array.isArray(claim) ? new Set<unknown>(claim) : [claim]) {
      if (typeof value === 'string') addAll(found, this.#values.get(value));
    }
    if (this.#steps.size === 0 || typeof claim !== 'object' || claim === null) return;
    for (const [step, inner] of Object.entries(claim)) this.#steps.get(step)?.collect(inner, found);
  }
}

function addAll(found: Set<string>, roles: Iterable<string> = NONE): void {
  for (const role of roles) found.add(role);
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
  const claims = new Map<string, RolesByClaim>();
  for (const { roleRef, subjects } of bindings) {
    await breathe();
    roles.add(roleRef.name);
    for (const subject of subjects) {
      if (subject.consumer) consumers.add(subject.consumer.name, roleRef.name);
      if (subject.consumerGroup) consumerGroups.add(subject.consumerGroup.name, roleRef.name);
      if (subject.claim) claimsOf(subject.claim.issuer, claims).add(subject.claim, roleRef.name);
      if (subject.spiffe) spiffe.add(subject.spiffe.id, roleRef.name);
      if (subject.serviceAccount) {
        const { namespace, name } = subject.serviceAccount;
        serviceAccounts.add(`system:serviceaccount:${namespace}:${name}`, roleRef.name);
      }
    }
  }
  const ofConsumer = (identity: Identity): Iterable<string> => {
    const found = new Set<string>();
    addAll(found, consumers.get(identity.consumer ?? ''));
    for (const group of identity.groups) addAll(found, consumerGroups.get(group));
    return found;
  };
  const ofToken = ({ issuer, subject, claims: held }: Identity): Iterable<string> => {
    const found = new Set<string>();
    claims.get(issuer ?? '')?.collect(held, found);
    if (clusterIssuer !== undefined && issuer === clusterIssuer) addAll(found, serviceAccounts.get(subject ?? ''));
    return found;
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

function claimsOf(issuer: string, claims: Map<string, RolesByClaim>): RolesByClaim {
  const known = claims.get(issuer);
  if (known !== undefined) return known;
  const tree = new RolesByClaim();
  claims.set(issuer, tree);
  return tree;
}
