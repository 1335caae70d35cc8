import { hash } from 'node:crypto';
import type { Steps } from '../../core/breather.ts';
import type { ProblemList } from '../../core/problem.ts';
import { compileLabelSelector, type LabelMatcher } from '../../match/label-selector.ts';
import { compilePolicy, type PolicyPorts } from '../compile-policy.ts';
import { type ApiBaselineSpec, apiBaselineSpec } from '../resource/api-baseline.ts';
import { apiPolicySpec } from '../resource/api-policy.ts';
import { parseSpec } from '../resource/parse-spec.ts';
import { compileOverrides, type Overrides } from './compile-overrides.ts';
import { type GivenDefault, givenDefaults } from './defaults.ts';

/** One APIBaseline that may be accepted: all that policies take of it compiles. */
export interface CompiledBaseline {
  readonly spec: ApiBaselineSpec;
  readonly selects: LabelMatcher;
  /** Whatever labels a namespace has. */
  readonly selectsAll: boolean;
  readonly defaults: readonly GivenDefault[];
  readonly overrides: Overrides | undefined;
}

export interface BaselineContext {
  readonly name: string;
  readonly ports: PolicyPorts;
}

/** Reads and compiles the spec of a baseline; undefined when something in it is wrong, which `problems` then says. */
export function* compileBaseline(
  given: unknown,
  { name, ports }: BaselineContext,
  problems: ProblemList,
): Steps<CompiledBaseline | undefined> {
  yield;
  const spec = parseSpec(apiBaselineSpec, given, problems);
  if (spec === undefined) return undefined;
  yield* checkDefaults(spec, { name, ports }, problems.at('defaults'));
  const overrides =
    spec.overrides &&
    (yield* compileOverrides(spec.overrides, { by: name, knows: ports.knows, problems: problems.at('overrides') }));
  const { matchLabels, matchExpressions } = spec.namespaceSelector;
  return Object.freeze({
    spec,
    selects: compileLabelSelector(spec.namespaceSelector),
    selectsAll: matchLabels === undefined && matchExpressions === undefined,
    defaults: givenDefaults(spec, name),
    overrides,
  });
}

/**
 * Any policy that has these sections and no other: what is wrong with one of them is found here, not in each policy. Whom
 * it is for is not judged: of a sidecar class it would have to select Pods.
 */
function* checkDefaults(
  { defaults }: ApiBaselineSpec,
  { name, ports }: BaselineContext,
  problems: ProblemList,
): Steps<void> {
  if (defaults === undefined) return;
  const spec = { ...apiPolicySpec.parse({ target: { hosts: ['any.invalid'] } }), ...defaults };
  const ref = { namespace: '', name, uid: hash('sha256', name), generation: 0 };
  yield* compilePolicy(spec, ref, { ports: { ...ports, workload: undefined }, problems });
}
