import type { Step } from '../../internal/core/evaluation.ts';
import type { CompiledPolicy } from '../../internal/policy/compiled-policy.ts';
import { type FaultCase, failing, NO_ANSWER, put } from './fault.ts';

const limit = (name: string, stage: string): string =>
  `{name: ${name}, stage: ${stage}, key: [{expression: request.method}], rates: [{requests: 1000, window: 1h}]}`;

/** One baseline with every kind of override that there is. */
const BASELINE = `
---
apiVersion: postern.dev/v1alpha1
kind: APIBaseline
metadata: {name: platform}
spec:
  namespaceSelector: {}
  overrides:
    authorization: {rules: [{name: queries, deny: {when: [{expression: "request.query.role == 'admin'"}]}}]}
    rateLimits:
      - ${limit('early', 'BeforeAuthentication')}
      - ${limit('guesses', 'AuthenticationFailure')}
      - ${limit('late', 'AfterAuthentication')}
    require: {tls: {}, authentication: {}}
`;

/** Where overrides stand among the steps of the policy of these tests, which has one of each kind itself. */
const PLACES = [0, 2, 4, 7, 10, 11, 13];
const ALL = 16;

const withOverride = (policy: CompiledPolicy, place: number, step: Step): CompiledPolicy => {
  if (policy.steps.length !== ALL) throw new Error(`The policy has ${policy.steps.length} steps, not ${ALL}`);
  return { ...policy, steps: policy.steps.map((row, index) => (index === place ? { ...row, step } : row)) };
};

/** Every step of overrides fails at once, and after it has waited: what is not told to be let by is not let by. */
export const OVERRIDE_FAULTS: readonly FaultCase[] = PLACES.flatMap((place, index) =>
  put({
    at: `override step ${index + 1}`,
    faults: NO_ANSWER,
    becomes: 500,
    but: { hangs: 503 },
    parts: (fault) => ({
      edit: (policies) => policies + BASELINE,
      policy: (policy) => withOverride(policy, place, failing(fault)),
    }),
  }),
);
