import { z } from 'zod';
import {
  atLeastOne,
  exactlyOneOf,
  expression,
  itemName,
  methods,
  mode,
  namedList,
  objectName,
  pathTemplates,
  withRule,
} from '../../core/schema.ts';

const criteria = () =>
  z.strictObject({
    any: z.strictObject({}).optional().describe('Everyone; the only way to say so.'),
    methods: methods('; leave methods out to mean all of them').optional().describe('HTTP methods, exact.'),
    paths: pathTemplates()
      .optional()
      .describe(
        'Path templates; `{name}` is one segment, `**` only last. Exact in allow, without regard to ASCII case in deny.',
      ),
    roles: z
      .array(objectName())
      .min(1)
      .max(64)
      .optional()
      .describe('APIRoles of this namespace, of which the caller holds one.'),
    groups: z
      .array(z.string().min(1).max(256))
      .min(1)
      .max(64)
      .optional()
      .describe('Groups, of which the caller is in one.'),
    scopes: z
      .array(
        z
          .string()
          .min(1)
          .max(256)
          .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope of RFC 6749: no spaces, quotes or backslashes'),
      )
      .min(1)
      .max(64)
      .optional()
      .describe('OAuth scopes, all of which the token must carry in allow, any one of which matches in deny.'),
    via: z
      .array(itemName())
      .min(1)
      .max(16)
      .optional()
      .describe(
        'Authentication methods, one of which proved the caller; needed with groups and scopes where several could supply them.',
      ),
    cidrs: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(256)
      .optional()
      .describe("Networks, one of which holds the client's address."),
    when: z.array(expression()).min(1).max(16).optional().describe('Conditions, all of which must hold.'),
  });

const EVERYONE = '"everyone" is written any: {}';

/** At least one criterion, and `any` by itself. */
const meaningful = <T extends z.ZodObject>(object: T, hint = EVERYONE) => {
  const others = Object.keys(object.shape).filter((name) => name !== 'any');
  return withRule(
    atLeastOne(object, hint),
    `!has(self.any) || [${others.map((name) => `has(self.${name})`).join(', ')}].filter(x, x).size() == 0`,
    'any stands alone',
    (value) => value.any === undefined || Object.values(value).filter((member) => member !== undefined).length === 1,
  );
};

const rule = exactlyOneOf(
  z.strictObject({
    name: itemName().describe('Name of the rule, as logs and metrics say it.'),
    mode: mode().optional().describe('Audit only counts and logs what this rule would do.'),
    allow: meaningful(criteria())
      .optional()
      .describe('Lets the request in when everything given holds and no deny matches.'),
    deny: meaningful(criteria())
      .optional()
      .describe('Refuses the request when everything given holds; beats every allow.'),
  }),
  ['allow', 'deny'],
);

/** Without what each namespace, or each policy, chooses the words of: its own roles, groups and methods. */
const unchosen = () =>
  meaningful(
    criteria().omit({ roles: true, groups: true, via: true }),
    `${EVERYONE}, and roles, groups and via are not for overrides, since those whom these hold choose them`,
  );

/** A rule of a baseline: it takes away, and is never in Audit. */
export const denyRuleSpec = withRule(
  z.strictObject({
    name: itemName().describe('Name of the rule, as logs and metrics say it, behind that of its baseline.'),
    deny: unchosen()
      .optional()
      .describe(
        'Required. Refuses the request when everything given holds; beats every allow. It has no roles, groups and via, which those whom it holds choose: write conditions on identity.kind, identity.issuer or identity.claims.',
      ),
  }),
  'has(self.deny)',
  'overrides only tighten: write deny; an allow belongs into the policy',
  ({ deny }) => deny !== undefined,
);

/** `authorization`: deny beats allow, no match is deny, order means nothing. */
export const authorizationSpec = z.strictObject({
  rules: namedList(rule, 64).describe('Rules; their order has no meaning.'),
});

export type AuthorizationSpec = z.output<typeof authorizationSpec>;
export type RuleSpec = AuthorizationSpec['rules'][number];
export type CriteriaSpec = NonNullable<RuleSpec['allow']>;
