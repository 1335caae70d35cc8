import { GROUP, type Kind } from '../policy/resource/kinds.ts';
import type { Json } from './structural-schema.ts';
import { unknownFieldRules } from './unknown-fields.ts';
import { validatingPolicy } from './validating-policy.ts';

/**
 * The admission policy of a kind and its binding. Clients that are not strict lose unknown fields without a word, and a
 * lost condition widens a rule: so unknown fields are refused, whoever applies them.
 *
 * @param spec structural schema of the kind's spec
 */
export function admissionPolicy({ plural }: Kind, spec: Json): Json[] {
  return validatingPolicy({
    name: `${plural}.${GROUP}`,
    operations: ['CREATE', 'UPDATE'],
    resource: plural,
    // An object that was stored before this policy came can still lose its labels and finalizers.
    matchConditions: [
      {
        name: 'spec-changes',
        expression: "request.operation != 'UPDATE' || !has(oldObject.spec) || object.spec != oldObject.spec",
      },
    ],
    validations: unknownFieldRules(spec).map((rule) => ({ ...rule, reason: 'Invalid' })),
  });
}
