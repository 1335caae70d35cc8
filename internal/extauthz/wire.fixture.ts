// What the tests of this folder speak: messages as the official loader encodes and decodes them, from the same protos.
import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import type { Decision } from '../core/decision.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';

type Message = Readonly<Record<string, unknown>>;

const definition = loadSync('envoy/service/auth/v3/external_auth.proto', {
  includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))],
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});

const { Check } = definition['envoy.service.auth.v3.Authorization'] as ServiceDefinition;
const method = Check as unknown as MethodDefinition<object, object>;

/** Bytes of a CheckRequest. */
export const encodeRequest = (request: object): Buffer => method.requestSerialize(request);
export const decodeRequest = (bytes: Uint8Array): Message => method.requestDeserialize(Buffer.from(bytes)) as Message;

export interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string };
  readonly append: { readonly value: boolean } | null;
  readonly append_action: string;
  readonly keep_empty_value: boolean;
}

export interface DeniedResponse {
  readonly status: { readonly code: string } | null;
  readonly headers: readonly HeaderOption[];
  readonly body: string;
}

export interface OkResponse {
  readonly headers: readonly HeaderOption[];
  readonly headers_to_remove: readonly string[];
  readonly response_headers_to_add: readonly HeaderOption[];
  readonly query_parameters_to_set: readonly object[];
  readonly query_parameters_to_remove: readonly string[];
}

/** A CheckResponse, every default filled in. */
export interface CheckResponse {
  readonly status: { readonly code: number; readonly message: string } | null;
  readonly http_response?: 'ok_response' | 'denied_response' | 'error_response';
  readonly ok_response?: OkResponse;
  readonly denied_response?: DeniedResponse;
  readonly error_response?: DeniedResponse;
  readonly dynamic_metadata: {
    readonly fields: Readonly<Record<string, { readonly stringValue: string }>>;
  } | null;
}

export const decodeResponse = (bytes: Uint8Array): CheckResponse =>
  method.responseDeserialize(Buffer.from(bytes)) as unknown as CheckResponse;

/** A decision for a reason, with its own outcome, that changes nothing. */
export function aDecision(reason: ReasonName, fields: Partial<Decision> = {}): Decision {
  return {
    outcome: REASONS[reason].kind,
    reason,
    decisionId: 'd-1',
    policy: undefined,
    refusal: REASONS[reason].kind === 'allow' ? undefined : { reason },
    findings: [],
    edits: { requestHeaders: [], requestHeadersToRemove: [], queryToRemove: [], responseHeaders: [] },
    answerHeaders: [],
    isGrpc: false,
    ...fields,
  };
}

/** What Envoy 1.40 sends for a plain GET: 475 bytes or so, twelve header fields. */
export const A_REQUEST = Object.freeze({
  attributes: {
    source: { address: { socket_address: { address: '192.0.2.7', port_value: 51234 } } },
    destination: { address: { socket_address: { address: '192.0.2.1', port_value: 8000 } } },
    request: {
      time: { seconds: 1_790_000_000, nanos: 250_000_000 },
      http: {
        id: '1234567890123456789',
        method: 'GET',
        headers: {
          ':authority': 'orders.example.org',
          ':method': 'GET',
          ':path': '/v1/orders/42?expand=lines',
          ':scheme': 'http',
          accept: '*/*',
          'user-agent': 'curl/8.5.0',
          'x-api-key': 'pk_live_9c1f2e77a0b44d5f',
          'x-forwarded-proto': 'http',
          'x-request-id': '7d7f6a52-0b1c-4a3e-9d53-0a4f8a3d2a55',
        },
        path: '/v1/orders/42?expand=lines',
        host: 'orders.example.org',
        scheme: 'http',
        protocol: 'HTTP/1.1',
      },
    },
  },
});
