import { z } from 'zod';

/** A structural schema as CRDs hold it: plain JSON. */
export type Json = { [key: string]: Json | string | number | boolean | null | readonly (Json | string)[] };

/** Left out because a structural schema has no such word, or because the API server would prune by it. */
const DROPPED = ['additionalProperties', 'contentEncoding', 'propertyNames', '$schema', 'id'] as const;

/**
 * The structural schema of a zod schema. Unknown fields are kept (`x-kubernetes-preserve-unknown-fields`), never pruned:
 * a pruned condition would widen a rule. The admission policy refuses them, and so does the agent.
 */
export function structuralSchema(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    unrepresentable: 'throw',
    override({ jsonSchema, zodSchema }) {
      const node = jsonSchema as Record<string, unknown>;
      const isMap = zodSchema._zod.def.type === 'record';
      for (const word of DROPPED) if (!(word === 'additionalProperties' && isMap)) delete node[word];
      if (node.properties !== undefined) node['x-kubernetes-preserve-unknown-fields'] = true;
      if (node.type === 'integer') node.format = 'int64';
      // The API server takes these bounds, but zod writes those of safe integers.
      if (node.type === 'integer' && node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (isMap) node.maxProperties ??= 64;
    },
  }) as Json;
}
