import type { KindName } from '../../internal/policy/resource/kinds.ts';

export interface FullSpec {
  readonly kind: KindName;
  readonly spec: Readonly<Record<string, unknown>>;
}

const METHODS = ['GET', 'HEAD'];
const PATHS = ['/v1/{id}/**'];
const DIGEST = 'f'.repeat(64);
const WHEN = [{ expression: "request.method == 'GET'", message: 'reads' }];
const CRITERIA = {
  methods: METHODS,
  paths: PATHS,
  roles: ['reader'],
  groups: ['partners'],
  scopes: ['orders:read'],
  via: ['sso'],
  cidrs: ['192.0.2.0/24'],
  when: WHEN,
};
/** What every policy means by the same words. */
const UNCHOSEN = { methods: METHODS, paths: PATHS, scopes: ['orders:read'], cidrs: ['192.0.2.0/24'], when: WHEN };
const CARRIERS = [{ header: 'x-api-key' }, { authorizationScheme: 'Key' }, { query: 'key' }, { cookie: 'key' }];
const JWT = {
  issuer: 'https://sso.example.org',
  audiences: ['orders'],
  jwks: { url: 'https://sso.example.org/keys' },
  algorithms: ['ES256'],
  types: ['at+jwt'],
  clockSkew: '30s',
  requiredClaims: [
    { path: ['tenant', 'id'], value: 'shop' },
    { path: ['email'], present: {} },
  ],
  from: CARRIERS,
  groupsClaim: { path: ['realm_access', 'roles'] },
};

const SELECTOR = {
  matchLabels: { team: 'shop' },
  matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }],
};

const POLICY = {
  className: 'edge',
  target: {
    hosts: ['orders.example.org', '*.orders.example.org'],
    paths: PATHS,
    pathOptions: { encodedSlash: 'Keep', semicolon: 'Refuse', caseInsensitive: true },
  },
  mode: 'Audit',
  transport: { requireTLS: true, hsts: { maxAge: '8760h' } },
  public: [{ name: 'health', methods: METHODS, paths: ['/healthz'] }],
  authentication: {
    methods: [
      { name: 'partners', credentials: 'Remove', apiKey: { from: CARRIERS } },
      { name: 'sso', credentials: 'Forward', jwt: JWT },
    ],
    anonymous: {},
  },
  authorization: {
    rules: [
      { name: 'all', allow: { any: {} } },
      { name: 'some', mode: 'Audit', allow: CRITERIA },
      { name: 'none', deny: { any: {} } },
      { name: 'few', mode: 'Enforce', deny: CRITERIA },
    ],
  },
  validation: {
    mode: 'Audit',
    onFault: 'Allow',
    bodyless: METHODS,
    contentTypes: ['application/json'],
    limits: {
      url: '8Ki',
      headers: '16Ki',
      headerCount: 100,
      parameters: 64,
      body: '64Ki',
      inflated: '256Ki',
      formParameters: 100,
      xmlDepth: 16,
      xmlElements: 1000,
      xmlAttributes: 16,
      multipartParts: 8,
      multipartPart: '1Mi',
      graphqlDepth: 8,
      graphqlAliases: 16,
      jsonDepth: 16,
      jsonValues: 1000,
      jsonMembers: 100,
      jsonItems: 100,
      jsonName: 64,
      jsonString: 4096,
      jsonNumbers: 'Exact',
    },
    fields: [
      {
        name: 'id',
        mode: 'Enforce',
        methods: METHODS,
        paths: PATHS,
        path: { name: 'id' },
        type: 'String',
        required: true,
        format: 'uuid',
        minLength: 1,
        maxLength: 64,
        pattern: '[0-9a-f-]+',
        enum: ['a'],
      },
      { name: 'page', query: { name: 'limit' }, type: 'Integer', minimum: 1, maximum: 100 },
      { name: 'tenant', header: { name: 'x-tenant' } },
      { name: 'theme', cookie: { name: 'theme' } },
      { name: 'items', body: { pointer: '/items' }, type: 'Array' },
    ],
  },
  rateLimits: [
    {
      name: 'per-caller',
      stage: 'AfterAuthentication',
      key: [{ expression: 'identity.id', missing: 'Skip' }],
      cost: { expression: '1' },
      rates: [
        { requests: 100, window: '1s', algorithm: 'GCRA', burst: 100 },
        { requests: 1000, calendar: { unit: 'Day', timeZone: 'Europe/Berlin' } },
      ],
      store: 'Local',
      onFault: 'Deny',
      countDenied: false,
      mode: 'Audit',
    },
  ],
  response: {
    upstreamHeaders: [
      { name: 'x-caller', value: { expression: 'identity.id', message: 'who' }, action: 'Append', missing: 'Deny' },
    ],
    keepHeaders: ['x-original-url'],
  },
  auditLog: {
    allows: { percent: 1 },
    redact: [{ header: { name: 'x-session' } }, { body: { pointer: '/card/number' } }],
  },
};

/** Right specs that together have every field there is. Those of one kind are apart where only one of some may be set. */
export const FULL_SPECS: readonly FullSpec[] = [
  { kind: 'APIPolicy', spec: POLICY },
  {
    kind: 'APIPolicy',
    spec: {
      target: {
        routes: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'orders', sectionName: 'api' }],
      },
      authentication: { methods: [{ name: 'sso', jwt: { ...JWT, jwks: { inline: '{"keys":[]}' } } }] },
    },
  },
  { kind: 'APIPolicy', spec: { target: { workloadSelector: { matchLabels: { app: 'orders' } } } } },
  {
    kind: 'APIConsumer',
    spec: {
      groups: ['partners'],
      keys: [
        { name: 'k1', sha256: DIGEST, notBefore: '2026-11-01T00:00:00Z', notAfter: '2028-02-29T00:00:00+01:00' },
        { name: 'k2', secretRef: { name: 'acme', key: 'k2' } },
      ],
    },
  },
  {
    kind: 'APIRole',
    spec: {
      inherits: [{ name: 'guest' }],
      permissions: [
        { name: 'read', policyRefs: [{ name: 'orders' }], methods: METHODS, paths: PATHS },
        { name: 'all', allPolicies: {} },
      ],
    },
  },
  {
    kind: 'APIRoleBinding',
    spec: {
      roleRef: { name: 'reader' },
      subjects: [
        { consumer: { name: 'acme' } },
        { consumerGroup: { name: 'partners' } },
        { claim: { issuer: 'https://sso.example.org', path: ['roles'], value: 'reader' } },
        { spiffe: { id: 'spiffe://cluster.local/ns/web/sa/front' } },
        { serviceAccount: { namespace: 'web', name: 'front' } },
      ],
    },
  },
  {
    kind: 'HostGrant',
    spec: {
      hosts: ['orders.example.org', '*.shop.example.org'],
      paths: PATHS,
      namespaceSelector: SELECTOR,
    },
  },
  {
    kind: 'APIBaseline',
    spec: {
      namespaceSelector: SELECTOR,
      precedence: 100,
      defaults: {
        transport: POLICY.transport,
        authentication: POLICY.authentication,
        validation: POLICY.validation,
        rateLimits: POLICY.rateLimits,
        response: POLICY.response,
        auditLog: POLICY.auditLog,
      },
      overrides: {
        authorization: {
          rules: [
            { name: 'none', deny: { any: {} } },
            { name: 'few', deny: UNCHOSEN },
          ],
        },
        rateLimits: POLICY.rateLimits.map(({ mode: _, ...limit }) => limit),
        require: { tls: {}, authentication: { publicPathsWithin: PATHS } },
      },
    },
  },
  {
    kind: 'APIBaseline',
    spec: {
      namespaceSelector: {},
      defaults: { authentication: { methods: [{ name: 'sso', jwt: { ...JWT, jwks: { inline: '{"keys":[]}' } } }] } },
    },
  },
];
