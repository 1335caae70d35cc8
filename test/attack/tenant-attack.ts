import type { SourceObject } from '../../internal/policy/object.ts';
import type { CaseRequest, Instance } from '../cases/run-case.ts';

/**
 * One attack of a namespace on another's: what the victim has, what the attacker applies, and a request that is the
 * victim's to decide. Topics keep their lists in files of their own, `tenant-*.ts`; `tenants.test.ts` tries them all.
 */
export interface TenantAttack {
  /** What it would be if it succeeded. */
  readonly name: string;
  readonly instance: Instance;
  /** Objects that are there first: the platform's and the victim's. */
  readonly before: string;
  /** What the attacker applies, all in the namespace `evil`. */
  readonly applies: string;
  /** The same as a cluster has it, with a status that the attacker wrote. */
  readonly objects?: readonly SourceObject[];
  /** Requests that the attacker sends. */
  readonly asks?: readonly CaseRequest[];
  /** What the platform does after that, which the attacker has waited for. */
  readonly after?: { readonly apply?: string; readonly remove?: readonly string[] };
  readonly request: CaseRequest;
  /** What it is decided to all the same: the namespace of the policy, `none` where no policy decides, and the reason. */
  readonly decided: readonly [string, string];
  /** Headers that the upstream must still get as the client sent them. */
  readonly keeps?: readonly string[];
  /** Headers of the client that must not get there. */
  readonly loses?: readonly string[];
}

const POLICY = 'apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\n';

interface Written {
  readonly name?: string;
  readonly mode?: 'Audit';
  /** YAML in one line. */
  readonly target: string;
  readonly rest?: string;
  readonly authentication?: string;
  readonly rules?: string;
}

/** A policy that lets everybody in, unless its rules say otherwise. */
export function policyOf(namespace: string, written: Written): string {
  const { name = 'p', mode = 'Enforce', target, rest = '', authentication = '{anonymous: {}}' } = written;
  const { rules = '[{name: all, allow: {any: {}}}]' } = written;
  return `${POLICY}metadata: {name: ${name}, namespace: ${namespace}}
spec: {mode: ${mode}, target: ${target}, authentication: ${authentication}, authorization: {rules: ${rules}}${rest}}
`;
}

export const grantOf = (name: string, spec: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: HostGrant\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

export const namespaceOf = (name: string, labels: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: ${labels}}\n`;

export const documents = (...all: readonly string[]): string => all.join('---\n');
