import { ANSWER_FAULTS } from './answer-faults.ts';
import { DOOR_FAULTS } from './door-faults.ts';
import { EVALUATOR_FAULTS } from './evaluator-faults.ts';
import { type FaultCase, type Outcome, outcomeOf } from './fault.ts';
import { HTTP_FAULTS } from './http-faults.ts';
import { KEY_FAULTS } from './key-faults.ts';
import { LIMIT_FAULTS } from './limit-faults.ts';
import { NAMESPACE_FAULTS } from './namespace-faults.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { OVERRIDE_FAULTS } from './override-faults.ts';
import { TELLING_FAULTS } from './telling-faults.ts';

/** Every injection of the register. */
export const ALL_FAULTS: readonly FaultCase[] = [
  ...EVALUATOR_FAULTS,
  ...OVERRIDE_FAULTS,
  ...NAMESPACE_FAULTS,
  ...LIMIT_FAULTS,
  ...KEY_FAULTS,
  ...NETWORK_FAULTS,
  ...ANSWER_FAULTS,
  ...TELLING_FAULTS,
  ...DOOR_FAULTS,
  ...HTTP_FAULTS,
];

/** Faults that let a check pass, and those that left it without any answer; both are to be none. */
export async function openFaults(): Promise<readonly { readonly name: string; readonly outcome: Outcome }[]> {
  const open: { readonly name: string; readonly outcome: Outcome }[] = [];
  for (const fault of ALL_FAULTS) {
    const outcome = await outcomeOf(fault);
    if (outcome === 'allow' || outcome === 'no answer') open.push({ name: `${fault.at} ${fault.fault}`, outcome });
  }
  return open;
}
