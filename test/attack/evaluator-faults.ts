import { systemClock } from '../../internal/core/clock.ts';
import type { Evaluation, Step } from '../../internal/core/evaluation.ts';
import { type Expression, runProgram } from '../../internal/match/expression/expression.ts';
import { authorize } from '../../internal/phases/authz/authz.ts';
import type { Authorization, Criteria } from '../../internal/phases/authz/compile.ts';
import type { CompiledPolicy } from '../../internal/policy/compiled-policy.ts';
import { AT_ONCE, EVERY, type Fault, type FaultCase, failing, NO_ANSWER, put } from './fault.ts';

/** Rows of `ORDER` in phases.ts, all of which the policy of these tests has. */
const STEPS = 9;

const withStep = (policy: CompiledPolicy, index: number, step: Step): CompiledPolicy => {
  if (policy.steps.length !== STEPS) throw new Error(`The policy has ${policy.steps.length} steps, not ${STEPS}`);
  return { ...policy, steps: policy.steps.map((row, i) => (i === index ? { ...row, step } : row)) };
};

/** Every step fails at once, and after it has waited. */
const steps: FaultCase[] = Array.from({ length: STEPS }, (_, index) => [
  ...put({
    at: `step ${index + 1}`,
    faults: NO_ANSWER,
    becomes: 500,
    but: { hangs: 503 },
    parts: (fault) => ({ policy: (policy) => withStep(policy, index, failing(fault)) }),
  }),
  ...put({
    at: `step ${index + 1}`,
    faults: ['rejects'],
    becomes: 500,
    parts: () => ({
      policy: (policy) => withStep(policy, index, () => Promise.resolve().then(failing('throws'))),
    }),
  }),
]).flat();

/** Steps that have to say who calls and what lets them in; of a limit and of TLS, nothing is the answer that all is well. */
const JUDGING = [3, 5, 7];
const silent: FaultCase[] = [
  ...JUDGING.flatMap((index) =>
    put({
      at: `step ${index + 1}`,
      faults: ['nothing'],
      becomes: 403,
      parts: (fault) => ({ policy: (policy) => withStep(policy, index, failing(fault)) }),
    }),
  ),
  ...put({
    at: 'no steps',
    faults: ['nothing'],
    becomes: 403,
    parts: () => ({ policy: (policy) => ({ ...policy, steps: [] }) }),
  }),
];

/** A step that answers in the end, but when the time of the check is over or nobody waits any more. */
function lateStep(): FaultCase[] {
  const late = (advance: () => void) => (policy: CompiledPolicy) =>
    withStep(policy, 0, async () => {
      advance();
      return undefined;
    });
  return [
    ...put({
      at: 'deadline',
      faults: ['hangs'],
      becomes: 503,
      parts: () => {
        let nowMs = 0;
        const clock = { wallMs: systemClock.wallMs, monotonicMs: () => nowMs };
        return {
          clock,
          checkTimeoutMs: 1000,
          policy: late(() => {
            nowMs = 1000;
          }),
        };
      },
    }),
    ...put({
      at: 'caller gone',
      faults: ['hangs'],
      becomes: 503,
      parts: () => {
        let isGone = false;
        return {
          checkTimeoutMs: 5000,
          call: { isCancelled: () => isGone },
          policy: late(() => {
            isGone = true;
          }),
        };
      },
    }),
  ];
}

const NOTHING_USED = { patterns: 0, zones: new Set<string>() };

/** An expression whose outermost closure fails; around it is the real code that runs every expression. */
function failingExpression(fault: Fault): Expression {
  const node = { run: failing(fault, false) } as never;
  const attributes: ReadonlySet<string> = new Set();
  const value = (evaluation: Evaluation): never =>
    runProgram({ node, attributes, used: NOTHING_USED }, evaluation) as never;
  return { source: 'x', attributes, evaluate: value, text: value, key: value };
}

const ANYONE: Criteria = {
  methods: undefined,
  paths: undefined,
  roles: undefined,
  groups: undefined,
  scopes: undefined,
  via: undefined,
  cidrs: undefined,
  when: [],
  words: { paths: undefined, cidrs: undefined, messages: [] },
};
const rule = (criteria: Partial<Criteria>) => [
  { name: 'r', mode: 'Enforce' as const, criteria: { ...ANYONE, ...criteria } },
];
const authz =
  (parts: Partial<Authorization>) =>
  (policy: CompiledPolicy): CompiledPolicy =>
    withStep(policy, 6, authorize({ allows: rule({}), denies: [], roleRefs: [], attributes: new Set(), ...parts }));

const expressions: FaultCase[] = [
  ...put({
    at: 'closure of an expression',
    faults: EVERY,
    becomes: 403,
    parts: (fault) => ({ policy: authz({ allows: rule({ when: [failingExpression(fault)] }) }) }),
  }),
  ...put({
    at: 'closure of an expression',
    faults: EVERY,
    becomes: 403,
    parts: (fault) => ({ policy: authz({ denies: rule({ when: [failingExpression(fault)] }) }) }),
  }),
  ...put({
    at: 'closure of a header',
    faults: EVERY,
    becomes: 403,
    parts: (fault) => ({
      policy: (policy) => ({
        ...policy,
        edits: {
          ...policy.edits,
          upstreamHeaders: [{ name: 'x', value: failingExpression(fault), action: 'Set', missing: 'Deny' }],
        },
      }),
    }),
  }),
  ...put({
    at: 'path matcher',
    faults: AT_ONCE,
    becomes: 500,
    parts: (fault) => ({
      policy: authz({ allows: rule({ paths: { parameters: [], match: failing(fault) } as never }) }),
    }),
  }),
  ...put({
    at: 'path matcher',
    faults: AT_ONCE,
    becomes: 500,
    parts: (fault) => ({
      policy: authz({ denies: rule({ paths: { parameters: [], match: failing(fault) } as never }) }),
    }),
  }),
];

export const EVALUATOR_FAULTS: readonly FaultCase[] = [...steps, ...silent, ...lateStep(), ...expressions];
