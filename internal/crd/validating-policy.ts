import { GROUP, VERSION } from '../policy/resource/kinds.ts';
import type { Json } from './structural-schema.ts';

export interface ValidatingPolicy {
  readonly name: string;
  readonly operations: readonly ('CREATE' | 'UPDATE')[];
  /** A plural of the group, or one of its subresources. */
  readonly resource: string;
  readonly matchConditions?: readonly object[];
  readonly validations: readonly object[];
}

/** An admission policy that denies what is not valid, whoever applies it, and its binding. */
export function validatingPolicy({ name, operations, resource, ...rules }: ValidatingPolicy): Json[] {
  const resourceRule = { apiGroups: [GROUP], apiVersions: [VERSION], operations, resources: [resource] };
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules: [resourceRule] }, ...rules },
  };
  const binding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
  return [policy, binding] as unknown as Json[];
}
