import { headerFields } from './attributes.ts';
import { parseCookies } from './cookies.ts';
import { Evaluation } from './evaluation.ts';
import { ANONYMOUS, type Identity } from './identity.ts';
import type { Body, Request } from './request.ts';

const PEER = { address: '192.0.2.9', principal: '', certificate: '' };

/** What a test gives of a request and its caller; the rest is a plain GET by nobody. */
export interface Given {
  readonly request?: Partial<Request>;
  readonly headers?: readonly (readonly [string, string])[];
  readonly headersAreJoined?: boolean;
  readonly query?: Readonly<Record<string, readonly string[]>>;
  /** The text of a JSON body that was forwarded, or what else is known of the body. */
  readonly body?: string | Body;
  readonly params?: Readonly<Record<string, string>>;
  readonly otherParams?: readonly Readonly<Record<string, string>>[];
  readonly context?: Readonly<Record<string, string>>;
  readonly identity?: Partial<Identity>;
  readonly roles?: readonly string[];
}

export function aRequest(given: Given = {}): Request {
  const { body = { state: 'unknown' } } = given;
  const headers = headerFields(given.headers ?? [], given.headersAreJoined);
  return {
    id: '4711',
    method: 'GET',
    scheme: 'https',
    host: 'api.example.org',
    path: '/v1/orders',
    readings: { kept: ['v1', 'orders'], others: [], hasEncodedSlash: false, hasSemicolon: false },
    targetSize: '/v1/orders'.length,
    query: new Map(Object.entries(given.query ?? {})),
    hasQuerySemicolon: false,
    headers,
    cookies: parseCookies(headers),
    timeMs: Date.UTC(2026, 5, 1, 3, 30),
    protocol: 'HTTP/1.1',
    body: typeof body === 'string' ? { state: 'forwarded', bytes: body, size: Buffer.byteLength(body) } : body,
    source: PEER,
    client: { address: '192.0.2.7', network: '192.0.2.7/32' },
    contextExtensions: new Map(Object.entries(given.context ?? {})),
    metadata: () => ({}),
    isTls: true,
    isGrpc: false,
    ...given.request,
  };
}

export function anEvaluation(given: Given = {}): Evaluation {
  const evaluation = new Evaluation({
    request: aRequest(given),
    policy: { namespace: 'shop', name: 'orders', uid: 'u1', generation: 1 },
    mode: 'Enforce',
    namespace: {
      consumers: { find: () => 'unknown' },
      roles: { rolesOf: () => given.roles ?? [], permits: () => false, isHeldForDeny: () => true },
    },
    wallMs: 0,
    monotonicMs: 0,
    deadlineMs: 1000,
    params: new Map(Object.entries(given.params ?? {})),
    otherParams: (given.otherParams ?? []).map((params) => new Map(Object.entries(params))),
  });
  evaluation.identity = { ...ANONYMOUS, ...given.identity };
  return evaluation;
}
