import { type Problem, ProblemList } from '../../core/problem.ts';
import type { ObjectMeta } from '../object.ts';
import type { ApiConsumerSpec } from './api-consumer.ts';
import type { ApiPolicySpec } from './api-policy.ts';
import type { ApiRoleBindingSpec, ApiRoleSpec } from './api-role.ts';
import { readEnvelope } from './envelope.ts';
import { KINDS, type KindName } from './kinds.ts';
import { parseSpec } from './parse-spec.ts';

interface Specs {
  readonly APIPolicy: ApiPolicySpec;
  readonly APIConsumer: ApiConsumerSpec;
  readonly APIRole: ApiRoleSpec;
  readonly APIRoleBinding: ApiRoleBindingSpec;
}

/** A resource whose shape is right, with every default filled in. */
export type Resource = {
  readonly [K in KindName]: { readonly kind: K; readonly metadata: ObjectMeta; readonly spec: Specs[K] };
}[KindName];

export interface ParsedResource {
  /** Undefined when something is wrong with its shape. */
  readonly resource: Resource | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Reads one object of ours strictly: unknown fields, wrong shapes and wrong kinds are problems with field paths as
 * Kubernetes writes them. What no shape can tell (expressions, references) is the compiler's to find.
 */
export function parseResource(value: unknown): ParsedResource {
  const problems = new ProblemList('');
  const object = readEnvelope(value, problems);
  if (object === undefined) return { resource: undefined, problems: problems.problems };
  if (!isKind(object.kind)) {
    problems.at('kind').error('Invalid', `A ${object.kind} is no resource of ours`);
    return { resource: undefined, problems: problems.problems };
  }
  const { kind, metadata } = object;
  const spec = parseSpec(KINDS[kind].spec, object.spec, problems.at('spec'));
  const resource = spec === undefined ? undefined : ({ kind, metadata, spec } as Resource);
  return { resource, problems: problems.problems };
}

const isKind = (kind: string): kind is KindName => Object.hasOwn(KINDS, kind);
