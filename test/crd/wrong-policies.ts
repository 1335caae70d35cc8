import { policy, times, type WrongShape } from './wrong-shape.ts';

const spec = (more: object): object => ({ target: { hosts: ['a.example.org'] }, ...more });
const target = (more: object): object => ({ target: more });

const ONE_TARGET = 'spec.target: Invalid value: exactly one of hosts, routes or workloadSelector must be set';
const DURATION =
  'must be whole numbers with h, m, s or ms, as in "1h30m"; days are written as hours, "24h" for one day';
const TEMPLATE = 'must begin with "/", with "{name}" for one segment and "**" only last, as in "/v1/orders/{id}/**"';

/** What a policy says apart from its rules and limits. */
export const WRONG_POLICIES: readonly WrongShape[] = [
  policy('a list for a spec', [], 'spec in body must be of type object: "array"', {
    typed: '.spec: expected map, got',
  }),
  policy('no target', {}, 'spec.target: Required value'),
  policy('an empty target', target({}), ONE_TARGET),
  policy('two targets', target({ hosts: ['a'], routes: [{ name: 'a' }] }), ONE_TARGET),
  policy('no hosts', target({ hosts: [] }), 'spec.target.hosts in body should have at least 1 items'),
  policy('text for a list', target({ hosts: 'a' }), 'spec.target.hosts in body must be of type array: "string"', {
    typed: '.spec.target.hosts: expected list, got',
  }),
  policy(
    'a number for a host',
    target({ hosts: [1] }),
    'spec.target.hosts[0] in body must be of type string: "integer"',
    { typed: '.spec.target.hosts[0]: expected string, got' },
  ),
  policy(
    'an upper-case host',
    target({ hosts: ['A.example.org'] }),
    'spec.target.hosts[0]: Invalid value: "A.example.org": must be a lower-case host, as in "api.example.org"',
  ),
  policy(
    'a URL for a host',
    target({ hosts: ['https://a.example.org'] }),
    'spec.target.hosts[0]: Invalid value: "https://a.example.org": must be a lower-case host, as in "api.example.org" or "*.example.org", without scheme, port or path',
  ),
  policy(
    'a long host',
    target({ hosts: ['a'.repeat(254)] }),
    'spec.target.hosts[0]: Too long: may not be more than 253',
  ),
  policy(
    'many hosts',
    target({ hosts: times(65, (i) => `h${i}`) }),
    'spec.target.hosts: Too many: 65: must have at most 64',
  ),
  policy(
    'a selector of everything',
    target({ workloadSelector: { matchLabels: {} } }),
    'spec.target.workloadSelector.matchLabels in body should have at least 1 properties',
  ),
  policy(
    'no key of a label',
    target({ workloadSelector: { matchLabels: { 'a b': 'c' } } }),
    'spec.target.workloadSelector.matchLabels: Invalid value: every key must be the key of a label, as in "app"',
  ),
  policy(
    'many labels',
    target({ workloadSelector: { matchLabels: Object.fromEntries(times(17, (i) => [`l${i}`, 'v'])) } }),
    'spec.target.workloadSelector.matchLabels: Too many: 17: must have at most 16',
  ),
  policy(
    'a star for a path',
    target({ hosts: ['a'], paths: ['/v1/*'] }),
    `spec.target.paths[0]: Invalid value: "/v1/*": ${TEMPLATE}`,
  ),
  policy(
    'another path option',
    target({ hosts: ['a'], pathOptions: { semicolon: 'Allow' } }),
    'spec.target.pathOptions.semicolon: Unsupported value: "Allow": supported values: "Refuse", "Keep"',
  ),
  policy(
    'a lower-case mode',
    spec({ mode: 'audit' }),
    'spec.mode: Unsupported value: "audit": supported values: "Enforce", "Audit"',
  ),
  policy(
    'text for a boolean',
    spec({ transport: { requireTLS: 'yes' } }),
    'spec.transport.requireTLS in body must be of type boolean: "string"',
    { typed: '.spec.transport.requireTLS: expected boolean, got' },
  ),
  policy(
    'days',
    spec({ transport: { hsts: { maxAge: '1d' } } }),
    `spec.transport.hsts.maxAge: Invalid value: "1d": ${DURATION}`,
  ),
  policy(
    'another class',
    spec({ className: 'b' }),
    'spec.className: Invalid value: className is immutable: make a new object, then delete this one',
    {
      before: spec({ className: 'a' }),
    },
  ),
  policy(
    'public paths without a method',
    spec({ public: [{ name: 'a', paths: ['/'] }] }),
    'spec.public[0].methods: Required value',
  ),
  policy(
    'a header without a value',
    spec({ response: { upstreamHeaders: [{ name: 'a', value: {} }] } }),
    'spec.response.upstreamHeaders[0].value.expression: Required value',
  ),
  policy(
    'more than all',
    spec({ auditLog: { allows: { percent: 101 } } }),
    'spec.auditLog.allows.percent in body should be less than or equal to 100',
  ),
  policy(
    'an empty redaction',
    spec({ auditLog: { redact: [{}] } }),
    'spec.auditLog.redact[0]: Invalid value: exactly one of header or body must be set',
  ),
  policy(
    'no JSON pointer',
    spec({ auditLog: { redact: [{ body: { pointer: 'card' } }] } }),
    'spec.auditLog.redact[0].body.pointer: Invalid value: "card": must be a JSON pointer, as in "/card/number"',
  ),
];
