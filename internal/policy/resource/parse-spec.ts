import type { z } from 'zod';
import { nearest } from '../../core/nearest.ts';
import { PROBLEM_REASONS, type ProblemList, type ProblemReason } from '../../core/problem.ts';
import { glimpse } from './glimpse.ts';
import { issueText } from './issue-text.ts';

/** More problems than this are of no help to anybody, and a status has its bounds. */
const MAX_PROBLEMS = 64;

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
  const result = schema.safeParse(spec ?? {}, { error: issueText });
  if (result.success) return result.data;
  const { issues } = result.error;
  // Of a text whose form is wrong, its length says nothing more.
  const misshapen = new Set(issues.filter(({ code }) => code === 'invalid_format').map(placeOf));
  const told = issues.filter((issue) => !isBound(issue) || !misshapen.has(placeOf(issue)));
  for (const issue of told.slice(0, MAX_PROBLEMS)) report(issue, schema, problems);
  return undefined;
}

const placeOf = ({ path }: z.core.$ZodIssue): string => JSON.stringify(path);
const isBound = ({ code }: z.core.$ZodIssue): boolean => code === 'too_small' || code === 'too_big';

function report(issue: z.core.$ZodIssue, schema: z.ZodType, problems: ProblemList): void {
  const at = issue.path.reduce<ProblemList>(
    (list, step) => list.at(typeof step === 'number' ? step : glimpse(String(step))),
    problems,
  );
  if (issue.code !== 'unrecognized_keys') {
    at.error(reasonOf(issue), sentence(issue.message));
    return;
  }
  const known = knownKeys(schema, issue.path);
  for (const key of issue.keys.slice(0, MAX_PROBLEMS)) {
    const hint = nearest(key, known);
    const rest = hint === undefined ? `: known here are ${known.join(', ')}` : `: did you mean "${hint}"?`;
    const shown = glimpse(key);
    at.at(shown).error('UnknownField', `Unknown field "${shown}"${known.length === 0 ? '' : rest}`);
  }
}

/** A check of ours may say its reason; anything else is a matter of shape. */
function reasonOf(issue: z.core.$ZodIssue): ProblemReason {
  const reason = issue.code === 'custom' ? (issue.params?.reason as unknown) : undefined;
  return PROBLEM_REASONS.find((known) => known === reason) ?? 'Invalid';
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

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
