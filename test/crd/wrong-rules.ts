import { policy, times, type WrongShape } from './wrong-shape.ts';

const spec = (more: object): object => ({ target: { hosts: ['a.example.org'] }, ...more });
const rules = (...more: object[]): object => spec({ authorization: { rules: more } });
const allow = (criteria: unknown): object => rules({ name: 'a', allow: criteria });
const methods = (...more: object[]): object => spec({ authentication: { methods: more } });
const jwt = (more: object): object =>
  methods({ name: 'a', jwt: { issuer: 'https://sso.example.org', audiences: ['a'], ...more } });
const apiKey = (...from: object[]): object => methods({ name: 'a', apiKey: { from } });

const RULE = 'spec.authorization.rules[0]';
const METHOD = 'spec.authentication.methods[0]';
const ANY = { any: {} };
const TEMPLATE = 'must begin with "/", with "{name}" for one segment and "**" only last, as in "/v1/orders/{id}/**"';
const CRITERIA =
  'at least one of any, methods, paths, roles, groups, scopes, via, cidrs, when must be set; "everyone" is written any: {}';

/** Who is calling, and may they. */
export const WRONG_RULES: readonly WrongShape[] = [
  policy('a relative path', allow({ paths: ['v1'] }), `${RULE}.allow.paths[0]: Invalid value: "v1": ${TEMPLATE}`),
  policy(
    'empty authentication',
    spec({ authentication: {} }),
    'spec.authentication: Invalid value: at least one method or anonymous: {} must be set',
  ),
  policy(
    'a method of no kind',
    methods({ name: 'a' }),
    `${METHOD}: Invalid value: exactly one of apiKey or jwt must be set`,
  ),
  policy(
    'methods of one name',
    methods({ name: 'a', apiKey: {} }, { name: 'a', apiKey: {} }),
    'spec.authentication.methods[1]: Duplicate value: {"name":"a"}',
    {
      typed: '.spec.authentication.methods: duplicate entries for key [name="a"]',
    },
  ),
  policy(
    'an empty carrier',
    apiKey({}),
    `${METHOD}.apiKey.from[0]: Invalid value: exactly one of header, authorizationScheme, query or cookie must be set`,
  ),
  policy(
    'two carriers in one',
    apiKey({ header: 'a', cookie: 'a' }),
    `${METHOD}.apiKey.from[0]: Invalid value: exactly one of header`,
  ),
  policy(
    'an upper-case header',
    apiKey({ header: 'X-Key' }),
    `${METHOD}.apiKey.from[0].header: Invalid value: "X-Key": must be a header name in lower case, as in "x-api-key"`,
  ),
  policy('no audience', jwt({ audiences: [] }), `${METHOD}.jwt.audiences in body should have at least 1 items`),
  policy(
    'empty jwks',
    jwt({ jwks: {} }),
    `${METHOD}.jwt.jwks: Invalid value: exactly one of url or inline must be set`,
  ),
  policy(
    'an algorithm that is none',
    jwt({ algorithms: ['none'] }),
    `${METHOD}.jwt.algorithms[0]: Unsupported value: "none": supported values: "RS256"`,
  ),
  policy(
    'a skew in seconds',
    jwt({ clockSkew: 60 }),
    `${METHOD}.jwt.clockSkew in body must be of type string: "integer"`,
    { typed: '.spec.authentication.methods[name="a"].jwt.clockSkew: expected string, got' },
  ),
  policy(
    'a claim without a demand',
    jwt({ requiredClaims: [{ path: ['a'] }] }),
    `${METHOD}.jwt.requiredClaims[0]: Invalid value: exactly one of value or present must be set`,
  ),
  policy('no rules', spec({ authorization: {} }), 'spec.authorization.rules: Required value'),
  policy(
    'a rule that says nothing',
    rules({ name: 'a' }),
    `${RULE}: Invalid value: exactly one of allow or deny must be set`,
  ),
  policy(
    'a rule both ways',
    rules({ name: 'a', allow: ANY, deny: ANY }),
    `${RULE}: Invalid value: exactly one of allow or deny must be set`,
  ),
  policy(
    'rules of one name',
    rules({ name: 'a', allow: ANY }, { name: 'a', deny: ANY }),
    'spec.authorization.rules[1]: Duplicate value: {"name":"a"}',
    {
      typed: '.spec.authorization.rules: duplicate entries for key [name="a"]',
    },
  ),
  policy('a rule without a name', rules({ allow: ANY }), `${RULE}.name: Required value`, {
    typed:
      '.spec.authorization.rules: element 0: associative list with keys has an element that omits all key fields ["name"]',
  }),
  policy(
    'an upper-case name',
    rules({ name: 'A', allow: ANY }),
    `${RULE}.name: Invalid value: "A": must be lower-case letters, digits and "-", as in "per-caller"`,
  ),
  policy('empty allow', allow({}), `${RULE}.allow: Invalid value: ${CRITERIA}`),
  policy('empty deny', rules({ name: 'a', deny: {} }), `${RULE}.deny: Invalid value: ${CRITERIA}`),
  policy(
    'everyone with a condition',
    allow({ any: {}, methods: ['GET'] }),
    `${RULE}.allow: Invalid value: any stands alone`,
  ),
  policy('no methods', allow({ methods: [] }), `${RULE}.allow.methods in body should have at least 1 items`),
  policy('no conditions', allow({ when: [] }), `${RULE}.allow.when in body should have at least 1 items`),
  policy(
    'a condition as text',
    allow({ when: ['true'] }),
    `${RULE}.allow.when[0] in body must be of type object: "string"`,
    { typed: '.spec.authorization.rules[name="a"].allow.when[0]: expected map, got' },
  ),
  policy(
    'a long condition',
    allow({ when: [{ expression: 't'.repeat(2049) }] }),
    `${RULE}.allow.when[0].expression: Too long: may not be more than 2048`,
  ),
  policy(
    'a lower-case method',
    allow({ methods: ['get'] }),
    `${RULE}.allow.methods[0]: Invalid value: "get": must be an upper-case HTTP method, as in "GET"`,
  ),
  policy(
    'a star for all methods',
    allow({ methods: ['*'] }),
    `${RULE}.allow.methods[0]: Invalid value: "*": must be an upper-case HTTP method, as in "GET"; leave methods out to mean all of them`,
  ),
  policy(
    'many rules',
    rules(...times(65, (i) => ({ name: `r${i}`, allow: ANY }))),
    'spec.authorization.rules: Too many: 65: must have at most 64',
  ),
];
