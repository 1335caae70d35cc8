import { z } from 'zod';
import {
  duration,
  exactlyOneOf,
  headerName,
  itemName,
  methods,
  namedList,
  pathTemplates,
  withRule,
} from '../../core/schema.ts';

const parameterName = () => z.string().min(1).max(128);

const carrier = exactlyOneOf(
  z.strictObject({
    header: headerName().optional().describe('A request header, by lower-case name.'),
    authorizationScheme: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'must be an authentication scheme, as in "Bearer"')
      .optional()
      .describe(
        'A scheme of the Authorization header (RFC 9110 §11.4); case does not matter. A header with more than 256 members is then refused.',
      ),
    query: parameterName()
      .optional()
      .describe(
        'A query parameter; a query with a bare `;` is then refused, since some upstreams part parameters there.',
      ),
    cookie: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a cookie name')
      .optional()
      .describe('A cookie; a request with more than 512 of them is then refused.'),
  }),
  ['header', 'authorizationScheme', 'query', 'cookie'],
);

const apiKey = z.strictObject({
  from: z
    .array(carrier)
    .min(1)
    .max(8)
    .default([{ header: 'x-api-key' }])
    .describe('Where callers put their key.'),
});

const jwks = exactlyOneOf(
  z.strictObject({
    url: z
      .string()
      .min(1)
      .max(2048)
      .regex(/^https?:\/\//, 'must be an http(s) URL')
      .optional()
      .describe('Where the key set lies.'),
    inline: z.string().min(2).max(65536).optional().describe('A JWK Set as a JSON string (RFC 7517 §5).'),
  }),
  ['url', 'inline'],
);

/** Asymmetric algorithms of RFC 7518 and RFC 8037; symmetric ones only when an author writes them with inline keys. */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'HS256',
  'HS384',
  'HS512',
] as const;

export const ASYMMETRIC = ALGORITHMS.filter((name) => !name.startsWith('HS'));

const claimPath = () => z.array(z.string().min(1).max(256)).min(1).max(8);

const requiredClaim = exactlyOneOf(
  z.strictObject({
    path: claimPath().describe('Path of the claim, from the outside in.'),
    value: z.string().max(1024).optional().describe('The claim is this text, or a list that has it.'),
    present: z.strictObject({}).optional().describe('The claim is there and not null.'),
  }),
  ['value', 'present'],
);

const jwt = z.strictObject({
  issuer: z.string().min(1).max(2048).describe('`iss`, byte for byte (RFC 7519 §4.1.1).'),
  audiences: z
    .array(z.string().min(1).max(2048))
    .min(1)
    .max(16)
    .describe('`aud` must hold one of these; ["*"] says "any" in so many words.'),
  jwks: jwks
    .optional()
    .describe("The issuer's keys; by default found by discovery (RFC 8414, OpenID Connect Discovery)."),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .max(14)
    .optional()
    .describe('Accepted algorithms; by default the asymmetric ones.'),
  types: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(8)
    .optional()
    .describe('Accepted `typ` headers without regard to case; by default JWT, at+jwt and none at all.'),
  clockSkew: duration().default('60s').describe('How far clocks may differ.'),
  requiredClaims: z.array(requiredClaim).max(16).default([]).describe('Claims that every token must have.'),
  from: z
    .array(carrier)
    .min(1)
    .max(8)
    .default([{ authorizationScheme: 'Bearer' }])
    .describe('Where callers put their token.'),
  groupsClaim: z
    .strictObject({ path: claimPath().describe('Path of the claim, from the outside in.') })
    .optional()
    .describe("The claim that becomes the caller's groups."),
});

const method = exactlyOneOf(
  z.strictObject({
    name: itemName().describe('Name of the method, as `via` and logs say it.'),
    credentials: z
      .enum(['Remove', 'Forward'])
      .optional()
      .describe('Whether the upstream sees the credential; default Remove for apiKey, Forward for jwt.'),
    apiKey: apiKey.optional().describe("Keys of this namespace's APIConsumers."),
    jwt: jwt.optional().describe('Signed tokens of one issuer (RFC 7519, RFC 9068).'),
  }),
  ['apiKey', 'jwt'],
);

/** `authentication`: absent means that nobody gets in. */
export const authenticationSpec = withRule(
  z.strictObject({
    methods: namedList(method, 16).default([]).describe('Ways to prove who is calling; their order has no meaning.'),
    anonymous: z.strictObject({}).optional().describe('Callers without any credential come in as nobody.'),
  }),
  'has(self.anonymous) || (has(self.methods) && self.methods.size() > 0)',
  'at least one method or anonymous: {} must be set',
  (value) => value.anonymous !== undefined || value.methods.length > 0,
);

/** `public`: routes that need neither authentication nor an allow rule. */
export const publicSpec = namedList(
  z.strictObject({
    name: itemName().describe('Name of the route, as logs say it.'),
    methods: methods().describe('HTTP methods, exact.'),
    paths: pathTemplates().describe('Path templates, exact in case.'),
  }),
  32,
);

export type AuthenticationSpec = z.output<typeof authenticationSpec>;
export type MethodSpec = AuthenticationSpec['methods'][number];
export type JwtSpec = NonNullable<MethodSpec['jwt']>;
export type CarrierSpec = z.output<typeof carrier>;
export type PublicSpec = z.output<typeof publicSpec>;
