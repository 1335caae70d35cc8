import { z } from 'zod';
import { DURATION_PATTERN, durationHint } from './duration.ts';
import type { ProblemReason } from './problem.ts';
import { parseQuantity } from './quantity.ts';

/**
 * The pieces that specs are made of. From these schemas come the types, the CRDs, their CEL rules, the reference docs
 * and the strict reading of files, so: no unions, tuples or lookaheads (structural schemas have none), a bound on every
 * string, list and map, and `.describe()` on every field (`kubectl explain` prints it).
 */

/** Name of an item in a named list, and of things a policy refers to inside its namespace's lists. */
export const itemName = () =>
  z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower-case letters, digits and "-", as in "per-caller"');

/** Name of a Kubernetes object (RFC 1123 subdomain). */
export const objectName = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Kubernetes object');

export const objectRef = () =>
  z.strictObject({ name: objectName().describe('Name of the object in the same namespace.') });

export const duration = () =>
  z
    .string()
    .max(32)
    .regex(DURATION_PATTERN, { error: ({ input }) => (input === '' ? DURATION_RULE : durationHint(String(input))) });

/** What is said where the value cannot be part of the words. */
const DURATION_RULE =
  'must be whole numbers with h, m, s or ms, as in "1h30m"; days are written as hours, "24h" for one day';

/**
 * A size in bytes, a whole quantity of Kubernetes from 1 to `most`; also the most is one.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export const size = (most: string) =>
  withRule(
    z
      .string()
      .max(16)
      .regex(
        SIZE_PATTERN,
        'must be a size in bytes, as in "64Ki", "2Mi" or "4096"; in quotes where it is digits alone',
      ),
    `!self.matches('${SIZE_PATTERN.source}') || quantity(self).compareTo(quantity('${most}')) <= 0`,
    `must be at most ${most}`,
    (text) => (parseQuantity(text) ?? 0) <= (parseQuantity(most) ?? 0),
  );

const SIZE_PATTERN = /^[1-9][0-9]{0,9}(Ki|Mi|k|M)?$/;

export const expression = () =>
  z.strictObject({
    expression: z.string().min(1).max(2048).describe('A CEL expression over the vocabulary of requests.'),
    message: z.string().min(1).max(256).optional().describe('Said to operators when the expression decides.'),
  });

/**
 * HTTP methods, exact; they are case-sensitive (RFC 9110 §9.1).
 *
 * @param hint what else to write, where there is something
 */
export const methods = (hint = '') =>
  z
    .array(
      z
        .string()
        .min(1)
        .max(32)
        .regex(/^[A-Z][A-Z0-9-]*$/, `must be an upper-case HTTP method, as in "GET"${hint}`),
    )
    .min(1)
    .max(16);

/** Most characters of a path template; also of one in a file, which is read to say what it claims though it is refused. */
export const MAX_TEMPLATE_LENGTH = 1024;

const pathTemplate = () =>
  withRule(
    z.string().min(1).max(MAX_TEMPLATE_LENGTH),
    "self.startsWith('/') && self.indexOf('*') == (self.endsWith('/**') ? self.size() - 2 : -1)",
    'must begin with "/", with "{name}" for one segment and "**" only last, as in "/v1/orders/{id}/**"',
    (text) => text.startsWith('/') && text.indexOf('*') === (text.endsWith('/**') ? text.length - 2 : -1),
    'InvalidPath',
  );

/**
 * Path templates: `{id}` is one segment, `**` only last. The rest is checked when compiled: a pattern that knew all of
 * it would cost more than the API server grants.
 */
export const pathTemplates = () => z.array(pathTemplate()).min(1).max(64);

/** Lower-case HTTP field name (RFC 9110 §5.1). */
export const headerName = () =>
  z
    .string()
    .min(1)
    .max(128)
    .regex(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, 'must be a header name in lower case, as in "x-api-key"');

/** JSON pointer (RFC 6901) to a member; never to the whole document. */
export const jsonPointer = () =>
  z
    .string()
    .max(256)
    .regex(/^(\/([^~/]|~[01])*)+$/, 'must be a JSON pointer, as in "/card/number"');

export const mode = () => z.enum(['Enforce', 'Audit']);

/** A list whose items are named, each name once, and whose order has no meaning (`listType: map`). */
export const namedList = <T extends z.ZodType>(item: T, max: number) =>
  z
    .array(item)
    .max(max)
    .superRefine((items, context) => {
      const seen = new Set<unknown>();
      for (const [index, value] of items.entries()) {
        const { name } = value as { readonly name?: unknown };
        if (seen.has(name)) {
          const message = `the name "${String(name)}" is taken by an item before this one`;
          context.addIssue({ code: 'custom', path: [index, 'name'], message, params: { reason: 'DuplicateName' } });
        }
        seen.add(name);
      }
    })
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

/** Labels that an object must have, at least one: none at all would select everything (Kubernetes labels and selectors). */
export const matchLabels = () =>
  withRule(
    z
      .record(
        z.string().max(317),
        z
          .string()
          .max(63)
          .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, 'must be the value of a label'),
      )
      .refine((labels) => Object.keys(labels).length > 0, { error: 'at least one label must be given' })
      .refine((labels) => Object.keys(labels).length <= MAX_LABELS, { error: `at most ${MAX_LABELS} labels` })
      .meta({ minProperties: 1, maxProperties: MAX_LABELS }),
    `self.all(key, key.size() <= 317 && key.matches(${JSON.stringify(LABEL_KEY.source)}))`,
    'every key must be the key of a label, as in "app" or "app.example.org/name"',
    (labels) => Object.keys(labels).every((key) => LABEL_KEY.test(key)),
  );

const requirement = withRule(
  z.strictObject({
    key: z.string().min(1).max(317).describe('Key of a label.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('NotIn also holds where there is no such label.'),
    values: z
      .array(z.string().max(63))
      .min(1)
      .max(64)
      .optional()
      .describe('Values of the label; with In and NotIn, and only with them.'),
  }),
  "has(self.values) == (self.operator == 'In' || self.operator == 'NotIn')",
  'values goes with the operators In and NotIn, and only with them',
  ({ operator, values }) => (values !== undefined) === (operator === 'In' || operator === 'NotIn'),
);

/** A selector as Kubernetes has it: all that is given must hold, and `{}` selects everything. */
export const labelSelector = () =>
  z.strictObject({
    matchLabels: matchLabels().optional().describe('Labels that it must have.'),
    matchExpressions: z.array(requirement).min(1).max(16).optional().describe('Requirements, all of which must hold.'),
  });

const MAX_LABELS = 16;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/**
 * An object of which exactly one of `keys` is set: a CEL rule in the CRD (whose message people can read, unlike
 * `oneOf`'s) and the same check for files. Keys are optional members of the object.
 */
export function exactlyOneOf<T extends z.ZodObject>(object: T, keys: readonly string[]): T {
  const message = `exactly one of ${keys.slice(0, -1).join(', ')} or ${keys.at(-1)} must be set`;
  const rule = `[${keys.map((key) => `has(self.${key})`).join(', ')}].filter(x, x).size() == 1`;
  return object
    .refine((value) => keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined).length === 1, {
      error: message,
    })
    .meta({ ...object.meta(), 'x-kubernetes-validations': [...validationsOf(object), { rule, message }] }) as T;
}

/**
 * An object of which at least one member is set: an empty one would mean everything. `minProperties: 1` holds also where
 * no rule is run; the rule has the words, and sees through a member that is misspelt.
 *
 * @param hint what to write instead, after a semicolon
 */
export function atLeastOne<T extends z.ZodObject>(object: T, hint: string): T {
  const keys = Object.keys(object.shape);
  const message = `at least one of ${keys.join(', ')} must be set; ${hint}`;
  const rule = keys.map((key) => `has(self.${key})`).join(' || ');
  const ruled = withRule(object, rule, message, (value) =>
    Object.values(value as Record<string, unknown>).some((member) => member !== undefined),
  );
  return ruled.meta({ ...ruled.meta(), minProperties: 1 }) as T;
}

/**
 * Another rule: CEL for the API server, the same in TypeScript for files.
 *
 * @param reason what a status says, when `Invalid` says too little
 */
export function withRule<T extends z.ZodType>(
  schema: T,
  rule: string,
  message: string,
  holds: (value: z.output<T>) => boolean,
  reason: ProblemReason = 'Invalid',
): T {
  return schema
    .refine((value) => holds(value as z.output<T>), { error: message, params: { reason } })
    .meta({ ...schema.meta(), 'x-kubernetes-validations': [...validationsOf(schema), { rule, message }] }) as T;
}

function validationsOf(schema: z.ZodType): readonly object[] {
  return (schema.meta()?.['x-kubernetes-validations'] as readonly object[] | undefined) ?? [];
}
