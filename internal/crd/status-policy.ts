import { GROUP, type Kind } from '../policy/resource/kinds.ts';
import type { Json } from './structural-schema.ts';
import { validatingPolicy } from './validating-policy.ts';

/**
 * The admission policy of a kind's status, and its binding, where agents believe after a restart what it tells: which
 * hosts a policy held, and by which spec. Roles of a namespace give any right there is in it, so who writes it needs a
 * right that only a role of the cluster can give, and that every agent has: on the status of HostGrants.
 */
export function statusPolicy({ kind, plural, status }: Kind): Json[] {
  if (status !== 'conditions') return [];
  return validatingPolicy({
    name: `${plural}-status.${GROUP}`,
    operations: ['UPDATE'],
    resource: `${plural}/status`,
    validations: [
      {
        expression: `authorizer.group('${GROUP}').resource('hostgrants').subresource('status').check('patch').allowed()`,
        message: `the status of an ${kind} tells who holds which host, and is the agent's to write: a ClusterRole has to allow its writer to patch hostgrants/status of ${GROUP} too`,
        reason: 'Forbidden',
      },
    ],
  });
}
