import { GROUP, type Kind, VERSION } from '../policy/resource/kinds.ts';
import type { Json } from './structural-schema.ts';
import { unknownFieldRules } from './unknown-fields.ts';

/**
 * The admission policy of a kind and its binding. Clients that are not strict lose unknown fields without a word, and a
 * lost condition widens a rule: so unknown fields are refused, whoever applies them.
 *
 * @param spec structural schema of the kind's spec
 */
export function admissionPolicy(kind: Kind, spec: Json): Json[] {
  const name = `${kind.plural}.${GROUP}`;
  const resourceRule = {
    apiGroups: [GROUP],
    apiVersions: [VERSION],
    operations: ['CREATE', 'UPDATE'],
    resources: [kind.plural],
  };
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [resourceRule] },
      // An object that was stored before this policy came can still lose its labels and finalizers.
      matchConditions: [
        {
          name: 'spec-changes',
          expression: "request.operation != 'UPDATE' || !has(oldObject.spec) || object.spec != oldObject.spec",
        },
      ],
      validations: unknownFieldRules(spec).map((rule) => ({ ...rule, reason: 'Invalid' })),
    },
  };
  const binding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
  return [policy, binding] as unknown as Json[];
}
