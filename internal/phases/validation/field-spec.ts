import { z } from 'zod';
import {
  exactlyOneOf,
  headerName,
  itemName,
  jsonPointer,
  methods,
  mode,
  namedList,
  pathTemplates,
  withRule,
} from '../../core/schema.ts';
import { FORMATS } from './formats.ts';

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const MOST = Number.MAX_SAFE_INTEGER;
const MAX_LENGTH = 1_048_576;

const named = (name: z.ZodString, what: string, doc: string) =>
  z
    .strictObject({ name: name.describe(what) })
    .optional()
    .describe(doc);

const field = exactlyOneOf(
  z.strictObject({
    name: itemName().describe('Name of the rule, as logs say it.'),
    mode: mode().optional().describe('Audit only counts and logs what this rule would refuse.'),
    methods: methods('; leave methods out to mean all of them').optional().describe('Methods that it is for, exact.'),
    paths: pathTemplates()
      .optional()
      .describe(
        'Paths that it is for, without regard to ASCII case; default all of the target. A path with several readings is judged by each.',
      ),
    path: named(
      z
        .string()
        .min(1)
        .max(63)
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a path parameter, as in "id" of "/orders/{id}"'),
      "Name of a parameter in every template of paths, or of the target's.",
      'A parameter of the path.',
    ),
    query: named(
      z.string().min(1).max(128),
      'Name of the parameter, decoded and in its letters.',
      'A parameter of the query; one that is repeated breaks the rule.',
    ),
    header: named(
      headerName(),
      'Name of the header.',
      'A header; one that is repeated breaks the rule, also where the proxy joined its lines.',
    ),
    cookie: named(
      z.string().min(1).max(128).regex(TOKEN, 'must be the name of a cookie'),
      'Name of the cookie.',
      'A cookie; one that is repeated breaks the rule.',
    ),
    body: z
      .strictObject({ pointer: jsonPointer().describe('JSON pointer (RFC 6901), as in /items/0/quantity.') })
      .optional()
      .describe('A member of the JSON body; a body that is no JSON is refused (415).'),
    required: z.boolean().default(false).describe('Whether it has to be there.'),
    type: z
      .enum(['String', 'Integer', 'Number', 'Boolean', 'Object', 'Array'])
      .default('String')
      .describe(
        'What it is. Outside of bodies numbers are written as in JSON, and Boolean is true or false. Object and Array only in bodies.',
      ),
    format: z.enum(FORMATS).optional().describe('What kind of text a String is.'),
    minLength: z.int().min(0).max(MAX_LENGTH).optional().describe('Fewest characters of a String.'),
    maxLength: z.int().min(0).max(MAX_LENGTH).optional().describe('Most characters of a String.'),
    pattern: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe('A pattern of RE2 that a String fits from its first character to its last; one over 4,096 fits none.'),
    enum: z.array(z.string().max(256)).min(1).max(64).optional().describe('What a String can be, exact.'),
    minimum: z.int().min(-MOST).max(MOST).optional().describe('Smallest Integer or Number.'),
    maximum: z.int().min(-MOST).max(MOST).optional().describe('Largest Integer or Number.'),
  }),
  ['path', 'query', 'header', 'cookie', 'body'],
);

type Field = z.output<typeof field>;
const isText = ({ type }: Field): boolean => type === 'String';
const isNumber = ({ type }: Field): boolean => type === 'Integer' || type === 'Number';
const isInside = ({ type }: Field): boolean => type === 'Object' || type === 'Array';

const ofText = withRule(
  field,
  "!has(self.type) || self.type == 'String' || !(has(self.format) || has(self.minLength) || has(self.maxLength) || has(self.pattern) || has(self.enum))",
  'format, minLength, maxLength, pattern and enum go with type String',
  (value) =>
    isText(value) || [value.format, value.minLength, value.maxLength, value.pattern, value.enum].every(isUnset),
);
const ofNumbers = withRule(
  ofText,
  "(has(self.type) && (self.type == 'Integer' || self.type == 'Number')) || !(has(self.minimum) || has(self.maximum))",
  'minimum and maximum go with type Integer or Number',
  (value) => isNumber(value) || [value.minimum, value.maximum].every(isUnset),
);
const ofBodies = withRule(
  ofNumbers,
  "has(self.body) || !has(self.type) || (self.type != 'Object' && self.type != 'Array')",
  'type Object and Array go with body',
  (value) => value.body !== undefined || !isInside(value),
);
const ordered = withRule(
  ofBodies,
  '(!has(self.minLength) || !has(self.maxLength) || self.minLength <= self.maxLength) && (!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum)',
  'the smallest must not be above the largest',
  ({ minLength = 0, maxLength = MAX_LENGTH, minimum = -MOST, maximum = MOST }) =>
    minLength <= maxLength && minimum <= maximum,
);

const isUnset = (value: unknown): boolean => value === undefined;

/** `validation.fields`: rules about single values, where there is no document of the API. */
export const fieldsSpec = namedList(ordered, 128);

export type FieldSpec = z.output<typeof fieldsSpec>[number];
