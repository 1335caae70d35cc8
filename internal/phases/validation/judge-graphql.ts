import type { Refusal } from '../../core/decision.ts';
import type { Evaluation, Mode, StepResult } from '../../core/evaluation.ts';
import type { Content } from './body-content.ts';
import type { ContentLimit } from './content-limits.ts';
import { type GraphqlShape, measureGraphql, measureRequests, NO_GRAPHQL } from './graphql.ts';
import { judgeLimits } from './judge-limits.ts';
import { unsupported } from './refusals.ts';

interface Asked {
  readonly content: Content;
  readonly mode: Mode;
}

const NO_TYPE = unsupported('content-type', 'contentType', 'A GraphQL request is JSON or application/graphql');

/** Judges GraphQL wherever a server may find it: in the body, and in the parameter `query`. */
export function judgeGraphql(
  limits: readonly ContentLimit[],
  evaluation: Evaluation,
  { content, mode }: Asked,
): StepResult {
  for (const shape of [inQuery(evaluation), inBody(content)]) {
    if (shape === undefined) continue;
    const refusal =
      'reason' in shape
        ? evaluation.refuse(shape, mode)
        : judgeLimits(limits, evaluation, { kind: 'graphql', shape, mode });
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function inQuery({ request: { query } }: Evaluation): GraphqlShape | Refusal | undefined {
  const values = query.get('query');
  if (values === undefined) return undefined;
  return values.length === 1 ? measureGraphql(values[0] ?? '') : NO_GRAPHQL;
}

/** Servers also find requests in forms, which nothing here reads as such. */
function inBody(content: Content): GraphqlShape | Refusal | undefined {
  if (content.kind === 'none') return undefined;
  if (content.kind === 'json') return measureRequests(content.value);
  return content.kind === 'graphql' ? measureGraphql(content.text) : NO_TYPE;
}
