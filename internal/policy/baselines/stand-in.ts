import type { CompiledPolicy } from '../compiled-policy.ts';

/** Overrides alone decide, in place of a policy in Audit that was never accepted. */
export const isStandIn = ({ held }: CompiledPolicy): boolean => held?.isStandIn === true;

/** What stands in for a policy is none: whoever logs its decisions knows no carriers of credentials but by their names. */
export const evaluated = (policy: CompiledPolicy): CompiledPolicy | undefined =>
  isStandIn(policy) ? undefined : policy;
