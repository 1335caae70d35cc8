import { z } from 'zod';

/** A structural schema as CRDs hold it: plain JSON. */
export type Json = { [key: string]: Json | string | number | boolean | null | readonly (Json | string)[] };

/** Left out because a structural schema has no such word, or because the API server would prune by it. */
const DROPPED = ['additionalProperties', 'contentEncoding', 'propertyNames', '$schema', 'id'] as const;
/** Carries a pattern's own words from zod to `sayPattern`; never part of the outcome. */
const PATTERN_MESSAGE = 'x-pattern-message';

export interface StructuralOptions {
  /**
   * Keeps fields that the schema does not know, at every depth: a pruned condition would widen a rule. The admission
   * policy refuses them, and so does the agent.
   */
  readonly keepsUnknown: boolean;
}

/** The structural schema of a zod schema, with rules in CEL where a rule's message says more than the server's own. */
export function structuralSchema(
  schema: z.ZodType,
  { keepsUnknown }: StructuralOptions = { keepsUnknown: true },
): Json {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    unrepresentable: 'throw',
    override({ jsonSchema, zodSchema }) {
      const node = jsonSchema as Record<string, unknown>;
      const isMap = isRecord(zodSchema);
      for (const word of DROPPED) if (!(word === 'additionalProperties' && isMap)) delete node[word];
      if (keepsUnknown && node.properties !== undefined) node['x-kubernetes-preserve-unknown-fields'] = true;
      if (node.type === 'integer') node.format = 'int64';
      // zod writes the bounds of what a double holds exactly; they are no bounds of ours.
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      const message = patternMessage(zodSchema);
      if (message !== undefined) node[PATTERN_MESSAGE] = message;
    },
  });
  return sayPatterns(json as Json) as Json;
}

/** Also of one that may be absent, whose schema is written in the place of what is around it. */
function isRecord(schema: z.core.$ZodType): boolean {
  const { def } = schema._zod as unknown as {
    readonly def: { readonly type: string; readonly innerType?: z.core.$ZodType };
  };
  return def.innerType === undefined ? def.type === 'record' : isRecord(def.innerType);
}

/** What a regex check says to people, when that does not depend on the value. */
function patternMessage(schema: z.core.$ZodTypes): string | undefined {
  const { def } = schema._zod;
  if (def.type !== 'string') return undefined;
  for (const check of def.checks ?? []) {
    const { format, error } = check._zod.def as unknown as PatternCheck;
    if (format === 'regex' && error !== undefined) return textOf(error({ input: '' }));
  }
  return undefined;
}

interface PatternCheck {
  readonly format?: string;
  readonly error?: (issue: { readonly input: unknown }) => unknown;
}

const textOf = (said: unknown): string | undefined =>
  typeof said === 'string' ? said : (said as { readonly message?: string } | undefined)?.message;

/** A pattern's violation reads `should match '^(…)$'`; a rule's reads as its author wrote it. So patterns become rules. */
function sayPatterns(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sayPatterns);
  if (typeof value !== 'object' || value === null) return value;
  const { [PATTERN_MESSAGE]: message, ...node } = value as Record<string, unknown>;
  // In CEL a date-time is a timestamp, which no pattern matches.
  if (typeof message === 'string' && typeof node.pattern === 'string' && node.format === undefined) {
    const { pattern, 'x-kubernetes-validations': rules = [] } = node;
    node['x-kubernetes-validations'] = [
      { rule: `self.matches(${JSON.stringify(pattern)})`, message },
      ...(rules as readonly unknown[]),
    ];
    delete node.pattern;
  }
  return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, sayPatterns(member)]));
}
