import type { z } from 'zod';
import { nearest } from '../../core/nearest.ts';
import type { ProblemList } from '../../core/problem.ts';

/**
 * Reads a spec strictly: unknown fields are problems, defaults are filled in, nothing is coerced.
 *
 * @returns undefined when something is wrong; `problems` then says what, with field paths as Kubernetes writes them
 */
export function parseSpec<T extends z.ZodType>(
  schema: T,
  spec: unknown,
  problems: ProblemList,
): z.output<T> | undefined {
  const result = schema.safeParse(spec ?? {});
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, schema, problems);
  return undefined;
}

function report(issue: z.core.$ZodIssue, schema: z.ZodType, problems: ProblemList): void {
  const at = issue.path.reduce<ProblemList>(
    (list, step) => list.at(typeof step === 'number' ? step : String(step)),
    problems,
  );
  if (issue.code !== 'unrecognized_keys') {
    at.error('Invalid', sentence(issue));
    return;
  }
  for (const key of issue.keys) {
    const hint = nearest(key, knownKeys(schema, issue.path));
    at.at(key).error('UnknownField', `Unknown field "${key}"${hint === undefined ? '' : `: did you mean "${hint}"?`}`);
  }
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'Required value';
  const { message } = issue;
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** Names of the fields that the object at this path may have. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let current: unknown = schema;
  for (const step of path) {
    const def = unwrap(current);
    if (def === undefined) return [];
    current = def.type === 'array' ? def.element : def.shape?.[String(step)];
  }
  return Object.keys(unwrap(current)?.shape ?? {});
}

interface Def {
  readonly type: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly innerType?: unknown;
}

function unwrap(schema: unknown): Def | undefined {
  let def = (schema as { readonly _zod?: { readonly def: Def } } | undefined)?._zod?.def;
  while (def?.innerType !== undefined) def = (def.innerType as { readonly _zod: { readonly def: Def } })._zod.def;
  return def;
}
