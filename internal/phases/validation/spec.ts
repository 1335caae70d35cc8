import { z } from 'zod';
import { atLeastOne, methods, mode, size } from '../../core/schema.ts';

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
  }),
  'or leave limits out',
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
  limits: limits
    .optional()
    .describe('How large and how deep a request may be. What is left out has no limit of the policy.'),
});

export type ValidationSpec = z.output<typeof validationSpec>;
export type LimitsSpec = z.output<typeof limits>;
