/**
 * Every reason a check can end with: one table for the answer's status, the metric label, the log and the docs.
 * A refusal is the caller's or the policy's doing; a fault is ours or a dependency's (the contract's table of failures).
 */
export interface Reason {
  readonly http: number;
  /** gRPC status for gRPC callers (google.rpc.Code). */
  readonly grpc: number;
  readonly kind: 'allow' | 'deny' | 'fault';
  /** Which member of CheckResponse carries it. */
  readonly answer: 'ok' | 'denied' | 'error';
  /** What a client reads in the problem document; never an internal. */
  readonly title: string;
  /** One sentence for operators: what it means and what to do. Never sent to a client. */
  readonly remedy: string;
  readonly phase: PhaseName;
}

export const PHASES = ['request', 'policy', 'authn', 'ratelimit', 'authz', 'validation', 'none'] as const;
export type PhaseName = (typeof PHASES)[number];

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

type Row = Omit<Reason, 'remedy'>;
const allow = (title: string): Row => ({ http: 200, grpc: 0, kind: 'allow', answer: 'ok', title, phase: 'none' });
const deny = (phase: PhaseName, http: number, grpc: number, title: string): Row => ({
  http,
  grpc,
  kind: 'deny',
  answer: 'denied',
  title,
  phase,
});
const fault = (phase: PhaseName, http: number, grpc: number, title: string): Row => ({
  http,
  grpc,
  kind: 'fault',
  answer: 'denied',
  title,
  phase,
});
const reason = (row: Row, remedy: string): Reason => Object.freeze({ ...row, remedy });

export const REASONS = Object.freeze({
  allowed: reason(allow('Allowed'), 'A rule lets the request in.'),
  public: reason(allow('Allowed: public'), 'A public route lets the request in without a credential.'),
  unmatched: reason(
    allow('Allowed: no policy governs this host'),
    'No policy governs the host and --unmatched=allow lets it pass: write a policy for it if it should be governed.',
  ),

  malformed_path: reason(
    deny('request', 400, INVALID_ARGUMENT, 'The path can be read in more than one way'),
    "Somebody could read the path differently than the policy does: let Envoy normalise it (the detail names the option), or allow it with the policy's pathOptions.",
  ),
  malformed_query: reason(
    deny('request', 400, INVALID_ARGUMENT, 'The query cannot be read'),
    'The query does not decode, decodes to a control character, has more than 1,024 parameters, or has a bare ";" where the policy reads it: the client must percent-encode it as UTF-8, or send less.',
  ),
  malformed_host: reason(
    deny('request', 400, INVALID_ARGUMENT, 'The host cannot be read'),
    'The host is missing or no host name: the client, or a proxy before Envoy, must send a proper Host header.',
  ),
  malformed_body: reason(
    deny('request', 400, INVALID_ARGUMENT, 'The body can be read in more than one way'),
    'A rule reads the body and it has no one reading: no JSON, a member that is repeated, a number that is too large, or no UTF-8; the detail says which, and the client has to change it.',
  ),
  malformed_request: reason(
    deny('request', 400, INVALID_ARGUMENT, 'The request cannot be read'),
    'The message, its method or a header has no one reading, or cannot be sent on: the detail says which, and the client has to change it.',
  ),

  undecided: reason(
    deny('none', 403, PERMISSION_DENIED, 'Not allowed'),
    'No step decided, so the check was refused: this is a defect of Postern, report it with the line of the log.',
  ),
  no_route: reason(
    deny('policy', 404, NOT_FOUND, 'No policy allows this host and path'),
    'No policy that was accepted governs this host and path: add them to the target of one. Where one claims them already the cause names it, and its status, the log or postern lint says what is wrong with it.',
  ),
  policy_not_found: reason(
    deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
    'The request names a policy that is not there: correct postern.dev/policy in the context extensions, or apply the policy.',
  ),
  policy_invalid: reason(
    deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
    'The policy that the route or the context extensions name is not accepted: the cause names it; read its problems in status, log or postern lint, and correct it.',
  ),
  host_conflict: reason(
    deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
    'Another namespace holds the host or this path of it, or is granted it: use another one, or have that namespace give it up.',
  ),
  route_metadata_missing: reason(
    deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
    'Envoy names no route of a policy and --route-metadata=required: let the gateway send metadata of routes, or attach a policy to the route.',
  ),
  edit_unsupported: reason(
    deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
    'The policy lets the request in with a change that the proxy of the HTTP door does not carry out: the cause names it; let the proxy take the header (--http-carried-headers), change the policy, or ask over gRPC.',
  ),
  tls_required: reason(
    deny('policy', 403, PERMISSION_DENIED, 'TLS is required'),
    'The policy takes TLS only and none is known of: use https, or tell Postern of it (--transport-security, --client-address).',
  ),

  credential_missing: reason(
    deny('authn', 401, UNAUTHENTICATED, 'A credential is required'),
    'None of the places that the policy reads holds a credential: the cause lists them, and the client must use one.',
  ),
  credential_unknown: reason(
    deny('authn', 401, UNAUTHENTICATED, 'The credential is not valid'),
    "The credential is nobody's here: check the key against the APIConsumers of the namespace, or the token's issuer against the methods.",
  ),
  credential_expired: reason(
    deny('authn', 401, UNAUTHENTICATED, 'The credential is not valid now'),
    'The key is known but not valid now: give the consumer a new one, or correct notBefore and notAfter.',
  ),
  token_malformed: reason(
    deny('authn', 401, UNAUTHENTICATED, 'The token is not valid'),
    'What was sent is no signed JWT: the client must send the token as its issuer made it, once.',
  ),
  token_invalid: reason(
    deny('authn', 401, UNAUTHENTICATED, 'The token is not valid'),
    'The token is of a known issuer but proves nobody: the cause says what is wrong with it.',
  ),
  token_expired: reason(
    deny('authn', 401, UNAUTHENTICATED, 'The token is not valid now'),
    'The token has expired: the client must get a new one; if it just did, compare the clocks.',
  ),
  authentication_required: reason(
    deny('authn', 403, PERMISSION_DENIED, 'Callers must be known here'),
    'A baseline requires that callers are known and the policy let this one in unknown, by a public route, anonymous or Audit: the rule names the baseline; open the path in its publicPathsWithin, or ask for credentials. It is 403, not 401: the baseline cannot say which credential the policy would take.',
  ),
  ambiguous_credentials: reason(
    deny('authn', 400, INVALID_ARGUMENT, 'More than one credential was sent'),
    'More than one credential was sent, or more cookies or members of Authorization than are looked through: the client must send one, once.',
  ),

  not_allowed: reason(
    deny('authz', 403, PERMISSION_DENIED, 'Not allowed'),
    'No allow rule lets the request in: the cause says for each rule what is missing; bind a role, or change the rule.',
  ),
  denied_by_rule: reason(
    deny('authz', 403, PERMISSION_DENIED, 'Not allowed'),
    'A deny rule matches, and beats every allow: the rule is named; change the rule if it should not.',
  ),
  insufficient_scope: reason(
    deny('authz', 403, PERMISSION_DENIED, 'The token lacks a scope'),
    'Only a scope is missing: the client must ask the issuer for a token with the scopes of the rule.',
  ),
  expression_error: reason(
    deny('authz', 403, PERMISSION_DENIED, 'Not allowed'),
    'An expression of the named rule, limit or header has no value on this request: the cause has its source; let it say what absence means, as with has().',
  ),

  rate_limited: reason(
    deny('ratelimit', 429, RESOURCE_EXHAUSTED, 'Too many requests'),
    'The named limit is used up: wait for Retry-After, or raise its rates.',
  ),
  limit_key_missing: reason(
    deny('ratelimit', 403, PERMISSION_DENIED, 'Not allowed'),
    'The key of the named limit has no value here and missing is Deny: the client must send what it reads, or choose Share or Skip.',
  ),

  body_not_forwarded: reason(
    deny('validation', 403, PERMISSION_DENIED, 'Not allowed'),
    'A rule reads the body and nobody knows whether there is one: set with_request_body in the filter of Envoy and start the agent with --bodies=forwarded, or name methods that have none in validation.bodyless.',
  ),
  body_too_large: reason(
    deny('validation', 413, RESOURCE_EXHAUSTED, 'The body is too large'),
    'The body is larger than validation.limits.body, or was cut at max_request_bytes of Envoy: the client must send less, or both must be raised.',
  ),
  body_too_complex: reason(
    deny('validation', 400, INVALID_ARGUMENT, 'The body is nested too deeply or holds too much'),
    'The body is within its size and beyond another limit of validation.limits, which the rule names, or beyond what is read at all: the client must send less at a time.',
  ),
  unsupported_media_type: reason(
    deny('validation', 415, INVALID_ARGUMENT, 'The type of the body is not taken here'),
    'Content-Type or Content-Encoding is none that the policy takes, cannot be read in one way, or is not what the body begins as: the client must name the type and send it uncompressed, as UTF-8.',
  ),
  headers_too_large: reason(
    deny('validation', 431, RESOURCE_EXHAUSTED, 'The headers are too large'),
    'There are more bytes or lines of headers than validation.limits has: the rule says which; the client must send less, often fewer cookies.',
  ),
  url_too_long: reason(
    deny('validation', 414, INVALID_ARGUMENT, 'The URL is too long'),
    'The path and query are longer than validation.limits.url: the client must send less, or send it in a body.',
  ),
  too_many_parameters: reason(
    deny('validation', 400, INVALID_ARGUMENT, 'The query has too many parameters'),
    'The query has more parameters than validation.limits.parameters: the client must send fewer.',
  ),

  invalid_parameter: reason(
    deny('validation', 400, INVALID_ARGUMENT, 'A parameter is not valid'),
    'A part of the path or query, a header or a cookie breaks a rule of validation.fields: the rule is named and errors say of each what it breaks; the client must change it.',
  ),
  invalid_body: reason(
    deny('validation', 422, INVALID_ARGUMENT, 'The body is not valid'),
    'Members of the body break rules of validation.fields: the rule is named and errors say of each what it breaks; the client must change them.',
  ),

  issuer_unavailable: reason(
    fault('authn', 503, UNAVAILABLE, 'A dependency cannot answer now'),
    `The issuer's keys cannot be had: look for "Keys could not be fetched" in the log (postern check prints it as a warning), and at network, DNS and --outbound-allow.`,
  ),
  limit_store_unavailable: reason(
    fault('ratelimit', 503, UNAVAILABLE, 'A dependency cannot answer now'),
    'The store of a limit does not answer and its onFault is Deny: look at the store, or choose LocalShare or Allow.',
  ),
  deadline: reason(
    fault('none', 503, UNAVAILABLE, 'The check took too long'),
    'The check took longer than --check-timeout or than Envoy waits, or its caller went away, as the cause then says: look at what it waits for, mostly an issuer or a store.',
  ),
  overloaded: reason(
    fault('none', 503, UNAVAILABLE, 'Over capacity'),
    'More checks wait than the instance holds: add replicas, and look at what they wait for.',
  ),
  internal: reason(
    fault('none', 500, INTERNAL, 'Internal error'),
    'Something failed that nobody foresaw: the cause holds the stack, report it with the line of the log.',
  ),
  stale_snapshot: reason(
    fault('none', 503, UNAVAILABLE, 'Not ready'),
    'The process was stopped for longer than its Lease lasts, and reads what changed before it answers: it takes moments; look for what stops it, as a frozen or an overcommitted node does.',
  ),
  no_snapshot: reason(
    { ...fault('none', 503, UNAVAILABLE, 'Not ready'), answer: 'error' },
    'The policies were not read yet: wait until /readyz says so, and look in the log for why they cannot be.',
  ),
});

export type ReasonName = keyof typeof REASONS;
