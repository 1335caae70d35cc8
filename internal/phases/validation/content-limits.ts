import type { Refusal } from '../../core/decision.ts';
import type { JsonShape } from '../../core/json-scan.ts';
import { parseQuantity } from '../../core/quantity.ts';
import type { GraphqlShape } from './graphql.ts';
import type { MultipartShape } from './multipart-scan.ts';
import { broken } from './refusals.ts';
import type { LimitsSpec } from './spec.ts';
import type { XmlShape } from './xml-scan.ts';

/** Kinds of bodies that are read. */
export type ContentKind = 'json' | 'form' | 'xml' | 'multipart' | 'graphql';

/** Measures of what was read; each kind has some. */
export type Shape = Readonly<
  Partial<Record<keyof JsonShape | keyof XmlShape | keyof MultipartShape | keyof GraphqlShape | 'parameters', number>>
>;

/** A limit on a measure of one kind of body. */
export interface ContentLimit {
  readonly kind: ContentKind;
  readonly measure: keyof Shape;
  readonly most: number;
  readonly refusal: Refusal;
}

export interface ContentLimits {
  /** Kinds that some limit is about: bodies of others are not read. */
  readonly kinds: ReadonlySet<ContentKind>;
  readonly limits: readonly ContentLimit[];
}

const MEASURES = {
  jsonDepth: ['json', 'depth'],
  jsonValues: ['json', 'values'],
  jsonMembers: ['json', 'members'],
  jsonItems: ['json', 'items'],
  jsonName: ['json', 'longestName'],
  jsonString: ['json', 'longestString'],
  formParameters: ['form', 'parameters'],
  xmlDepth: ['xml', 'depth'],
  xmlElements: ['xml', 'elements'],
  xmlAttributes: ['xml', 'attributes'],
  multipartParts: ['multipart', 'parts'],
  graphqlDepth: ['graphql', 'graphqlDepth'],
  graphqlAliases: ['graphql', 'graphqlAliases'],
} as const satisfies Partial<Record<keyof LimitsSpec, readonly [ContentKind, keyof Shape]>>;

/** The limits of a spec that are about what is in a body; undefined where it has none. */
export function contentLimitsOf(spec: LimitsSpec): ContentLimits | undefined {
  const limits: ContentLimit[] = [];
  for (const [rule, [kind, measure]] of Object.entries(MEASURES)) {
    const most = spec[rule as keyof typeof MEASURES];
    if (most !== undefined) limits.push(Object.freeze({ kind, measure, most, refusal: tooComplex(rule) }));
  }
  if (spec.multipartPart !== undefined)
    limits.push(
      Object.freeze({
        kind: 'multipart',
        measure: 'largestPart',
        most: parseQuantity(spec.multipartPart) ?? 0,
        refusal: LARGE_PART,
      }),
    );
  if (spec.jsonNumbers === 'Exact')
    limits.push(
      Object.freeze({ kind: 'json', measure: 'largestNumber', most: Number.MAX_SAFE_INTEGER, refusal: INEXACT }),
    );
  const kinds = new Set(limits.map(({ kind }) => kind));
  if (spec.jsonNumbers !== undefined || kinds.has('graphql')) kinds.add('json');
  return kinds.size === 0 ? undefined : Object.freeze({ kinds, limits: Object.freeze(limits) });
}

/** @param rule the limit that it is beyond */
export function tooComplex(rule: string): Refusal {
  return broken({
    reason: 'body_too_complex',
    pointer: '/body',
    rule,
    detail: 'The body is beyond a limit of what it holds',
  });
}

const INEXACT = tooComplex('jsonNumbers');
const LARGE_PART = broken({
  reason: 'body_too_large',
  pointer: '/body',
  rule: 'multipartPart',
  detail: 'A part of the body is too large: send less',
});
