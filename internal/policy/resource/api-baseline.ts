import { z } from 'zod';
import { atLeastOne, labelSelector, namedList, pathTemplates, withRule } from '../../core/schema.ts';
import { authenticationSpec } from '../../phases/authn/spec.ts';
import { denyRuleSpec } from '../../phases/authz/spec.ts';
import { enforcedLimitsSpec, rateLimitsSpec } from '../../phases/ratelimit/spec.ts';
import { validationSpec } from '../../phases/validation/spec.ts';
import { auditLogSpec, responseSpec, transportSpec } from './api-policy.ts';

/** Never `authorization` or `public`: who may come in is said by the policy alone. */
const defaults = atLeastOne(
  z.strictObject({
    transport: transportSpec.optional().describe('Encryption in transit.'),
    authentication: authenticationSpec.optional().describe('Who is calling.'),
    validation: validationSpec.optional().describe('Is the input sound.'),
    rateLimits: rateLimitsSpec.optional().describe('How often; counted for each policy.'),
    response: responseSpec.optional().describe('What an allowed request takes along.'),
    auditLog: auditLogSpec.optional().describe('The record of decisions.'),
  }),
  'or leave defaults out',
);

const requirements = atLeastOne(
  z.strictObject({
    tls: z.strictObject({}).optional().describe('Refuses what is not known to have come by TLS.'),
    authentication: z
      .strictObject({
        publicPathsWithin: pathTemplates()
          .optional()
          .describe('Paths that policies may leave to everybody; absent: none.'),
      })
      .optional()
      .describe('Refuses who is not known, but for these paths.'),
  }),
  'or leave require out',
);

const overrides = atLeastOne(
  z.strictObject({
    authorization: z
      .strictObject({ rules: namedList(denyRuleSpec, 64).describe('Denies, which beat every allow of a policy.') })
      .optional()
      .describe('What nobody may.'),
    rateLimits: enforcedLimitsSpec
      .optional()
      .describe('How often, besides the limits of the policy; counted for each policy.'),
    require: requirements.optional().describe('What every request must have.'),
  }),
  'or leave overrides out',
);

export const apiBaselineSpec = withRule(
  z.strictObject({
    namespaceSelector: labelSelector().describe(
      'Namespaces whose policies it is for; {} is all of them, in so many words.',
    ),
    precedence: z
      .int()
      .min(-1_000_000)
      .max(1_000_000)
      .default(0)
      .describe('Of several baselines, the highest gives the defaults; of equal ones the older, then by name.'),
    defaults: defaults.optional().describe('For sections that a policy leaves out whole.'),
    overrides: overrides
      .optional()
      .describe('What holds besides the policy, and only tightens; those of all baselines add up.'),
  }),
  'has(self.defaults) || has(self.overrides)',
  'at least one of defaults and overrides must be set',
  (spec) => spec.defaults !== undefined || spec.overrides !== undefined,
);

export type ApiBaselineSpec = z.output<typeof apiBaselineSpec>;
