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

const deny = (phase: PhaseName, http: number, grpc: number, title: string): Reason =>
  Object.freeze({ http, grpc, kind: 'deny', answer: 'denied', title, phase });
const fault = (phase: PhaseName, http: number, grpc: number, title: string): Reason =>
  Object.freeze({ http, grpc, kind: 'fault', answer: 'denied', title, phase });

export const REASONS = Object.freeze({
  allowed: Object.freeze<Reason>({ http: 200, grpc: 0, kind: 'allow', answer: 'ok', title: 'Allowed', phase: 'none' }),
  public: Object.freeze<Reason>({
    http: 200,
    grpc: 0,
    kind: 'allow',
    answer: 'ok',
    title: 'Allowed: public',
    phase: 'none',
  }),
  unmatched: Object.freeze<Reason>({
    http: 200,
    grpc: 0,
    kind: 'allow',
    answer: 'ok',
    title: 'Allowed: no policy governs this host',
    phase: 'none',
  }),

  malformed_path: deny('request', 400, INVALID_ARGUMENT, 'The path can be read in more than one way'),
  malformed_query: deny('request', 400, INVALID_ARGUMENT, 'The query cannot be read'),
  malformed_host: deny('request', 400, INVALID_ARGUMENT, 'The host cannot be read'),
  malformed_body: deny('request', 400, INVALID_ARGUMENT, 'The body can be read in more than one way'),
  malformed_request: deny('request', 400, INVALID_ARGUMENT, 'The request cannot be read'),

  undecided: deny('none', 403, PERMISSION_DENIED, 'Not allowed'),
  no_route: deny('policy', 404, NOT_FOUND, 'No policy allows this host and path'),
  policy_not_found: deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
  policy_invalid: deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
  host_conflict: deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
  route_metadata_missing: deny('policy', 403, PERMISSION_DENIED, 'Not allowed'),
  tls_required: deny('policy', 403, PERMISSION_DENIED, 'TLS is required'),

  credential_missing: deny('authn', 401, UNAUTHENTICATED, 'A credential is required'),
  credential_unknown: deny('authn', 401, UNAUTHENTICATED, 'The credential is not valid'),
  credential_expired: deny('authn', 401, UNAUTHENTICATED, 'The credential is not valid now'),
  token_malformed: deny('authn', 401, UNAUTHENTICATED, 'The token is not valid'),
  token_invalid: deny('authn', 401, UNAUTHENTICATED, 'The token is not valid'),
  token_expired: deny('authn', 401, UNAUTHENTICATED, 'The token is not valid now'),
  ambiguous_credentials: deny('authn', 400, INVALID_ARGUMENT, 'More than one credential was sent'),

  not_allowed: deny('authz', 403, PERMISSION_DENIED, 'Not allowed'),
  denied_by_rule: deny('authz', 403, PERMISSION_DENIED, 'Not allowed'),
  insufficient_scope: deny('authz', 403, PERMISSION_DENIED, 'The token lacks a scope'),
  expression_error: deny('authz', 403, PERMISSION_DENIED, 'Not allowed'),

  rate_limited: deny('ratelimit', 429, RESOURCE_EXHAUSTED, 'Too many requests'),
  limit_key_missing: deny('ratelimit', 403, PERMISSION_DENIED, 'Not allowed'),

  issuer_unavailable: fault('authn', 503, UNAVAILABLE, 'A dependency cannot answer now'),
  limit_store_unavailable: fault('ratelimit', 503, UNAVAILABLE, 'A dependency cannot answer now'),
  deadline: fault('none', 503, UNAVAILABLE, 'The check took too long'),
  overloaded: fault('none', 503, UNAVAILABLE, 'Over capacity'),
  internal: fault('none', 500, INTERNAL, 'Internal error'),
  no_snapshot: Object.freeze<Reason>({
    http: 503,
    grpc: UNAVAILABLE,
    kind: 'fault',
    answer: 'error',
    title: 'Not ready',
    phase: 'none',
  }),
});

export type ReasonName = keyof typeof REASONS;
