import { z } from 'zod';
import { atLeastOne, methods, mode, size } from '../../core/schema.ts';
import { fieldsSpec } from './field-spec.ts';

const count = (most: number) => z.int().min(1).max(most).optional();

const limits = atLeastOne(
  z.strictObject({
    url: size('64Ki').optional().describe('Most bytes of the request target, query included.'),
    headers: size('1Mi')
      .optional()
      .describe('Most bytes of names and values of all headers, as the proxy shows them, with those that it adds.'),
    headerCount: count(1000).describe(
      'Most headers, with those that the proxy adds. Where it joins the lines of a name, they are one.',
    ),
    parameters: count(1024).describe('Most parameters of the query; a bare ";" in it is then refused.'),
    body: size('64Mi').optional().describe('Most bytes of the body as it is sent.'),
    inflated: size('1Mi')
      .optional()
      .describe(
        'Most bytes of a body of gzip or deflate once it is inflated. Left out, a compressed body is refused where a rule reads what is in it.',
      ),
    formParameters: count(10_000).describe('Most parameters of a form in the body; a ";" parts them as well.'),
    xmlDepth: count(256).describe(
      'Most elements in each other in an XML body, which then has no DTD, entities of its own or processing instructions.',
    ),
    xmlElements: count(20_000).describe('Most elements of an XML body.'),
    xmlAttributes: count(1000).describe('Most attributes of an element in an XML body.'),
    multipartParts: count(1000).describe('Most parts of a multipart body; none of them has parts of its own.'),
    multipartPart: size('64Mi').optional().describe('Most bytes of a part of a multipart body.'),
    graphqlDepth: count(64).describe(
      'Most fields in each other of a GraphQL request, fragments taken in. Bodies are then of JSON or application/graphql alone.',
    ),
    graphqlAliases: count(10_000).describe(
      'Most aliases of a GraphQL request, fragments taken in each time; those of a batch add up.',
    ),
    jsonDepth: count(64).describe('Most objects and lists in each other in a JSON body.'),
    jsonValues: count(20_000).describe(
      'Most values of a JSON body; commas and brackets are counted, so that an empty list or object counts twice.',
    ),
    jsonMembers: count(20_000).describe('Most members of an object in a JSON body.'),
    jsonItems: count(20_000).describe('Most items of a list in a JSON body.'),
    jsonName: count(65_536).describe('Most characters of the name of a member in a JSON body.'),
    jsonString: count(1_048_576).describe('Most characters of a string in a JSON body; those beyond U+FFFF are two.'),
    jsonNumbers: z
      .enum(['Double', 'Exact'])
      .optional()
      .describe(
        'Exact refuses a number of a JSON body beyond ±(2^53 − 1), which some readers round. Double (default) refuses only what is too large for them all.',
      ),
  }),
  'or leave limits out',
);

const mediaType = () =>
  z
    .string()
    .min(3)
    .max(127)
    .regex(
      /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/,
      'must be a media type in lower case and without parameters, as in "application/json"',
    );

/** `validation`: is the input sound. */
export const validationSpec = z.strictObject({
  mode: mode().optional().describe('Audit only counts and logs what this section would refuse.'),
  onFault: z
    .enum(['Deny', 'Allow'])
    .default('Deny')
    .describe(
      'What happens while something that validation depends on cannot answer. Without effect in this version, which depends on nothing.',
    ),
  bodyless: methods('; leave bodyless out for none')
    .optional()
    .describe(
      'Methods that are judged without a body where it cannot be seen whether there is one. A request that declares a body it does not show is refused all the same.',
    ),
  contentTypes: z
    .array(mediaType())
    .min(1)
    .max(32)
    .optional()
    .describe('Media types that a body may have; one that says none, or another one, is refused.'),
  limits: limits
    .optional()
    .describe('How large and how deep a request may be. What is left out has no limit of the policy.'),
  fields: fieldsSpec
    .optional()
    .describe('Rules about single values: parameters, headers, cookies, members of a JSON body.'),
});

export type ValidationSpec = z.output<typeof validationSpec>;
export type LimitsSpec = z.output<typeof limits>;
