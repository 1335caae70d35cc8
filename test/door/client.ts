import { fileURLToPath } from 'node:url';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const ROOT = fileURLToPath(new URL('../../proto/', import.meta.url));
const definition = loadSync('envoy/service/auth/v3/external_auth.proto', {
  includeDirs: [ROOT],
  keepCase: true,
  longs: Number,
  defaults: false,
});
const service = definition['envoy.service.auth.v3.Authorization'] as unknown as Record<
  'Check',
  { requestSerialize(value: object): Buffer; responseDeserialize(bytes: Buffer): CheckResponse }
>;

export interface CheckResponse {
  readonly status?: { readonly code?: number };
  readonly denied_response?: {
    readonly status?: { readonly code?: number };
    readonly headers?: readonly Option[];
    readonly body?: string;
  };
  readonly error_response?: { readonly status?: { readonly code?: number } };
  readonly ok_response?: {
    readonly headers?: readonly Option[];
    readonly headers_to_remove?: readonly string[];
    readonly response_headers_to_add?: readonly Option[];
  };
}

interface Option {
  readonly header: { readonly key: string; readonly value?: string };
}

export interface CheckInput {
  /** Envoy's stream id; the next number where a test does not care. */
  readonly id?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let serial = 0;

/** A CheckRequest as Envoy would send it. */
export function encodeCheck({ id, method = 'GET', path = '/', host, headers = {} }: CheckInput): Buffer {
  serial += 1;
  return service.Check.requestSerialize({
    attributes: {
      source: { address: { socket_address: { address: '192.0.2.1', port_value: 4711 } } },
      request: {
        time: { seconds: Math.floor(Date.now() / 1000), nanos: serial },
        http: { id: id ?? String(serial), method, path, host, scheme: 'http', protocol: 'HTTP/1.1', headers, size: 0 },
      },
    },
  });
}

export const decodeCheck = (bytes: Buffer): CheckResponse => service.Check.responseDeserialize(bytes);

const clients = new Map<string, Client>();

/** One check over gRPC: the HTTP status that Envoy would answer with, 200 for an allow. */
export function checkOver(
  address: string,
  input: CheckInput,
): Promise<{ readonly http: number; readonly response: CheckResponse }> {
  return callRaw(address, encodeCheck(input)).then((bytes) => {
    const response = decodeCheck(bytes);
    const http =
      response.status?.code === 0
        ? 200
        : (response.denied_response?.status?.code ?? response.error_response?.status?.code ?? 403);
    return { http, response };
  });
}

/** Bytes in, bytes out. */
export function callRaw(address: string, bytes: Buffer): Promise<Buffer> {
  const client = clients.get(address) ?? new Client(address, credentials.createInsecure());
  clients.set(address, client);
  const same = (value: Buffer): Buffer => value;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/envoy.service.auth.v3.Authorization/Check',
      same,
      same,
      bytes,
      (error: ServiceError | null, answer?: Buffer) => {
        if (error !== null || answer === undefined) reject(error ?? new Error('no answer'));
        else resolve(answer);
      },
    );
  });
}

export function closeClients(): void {
  for (const client of clients.values()) client.close();
  clients.clear();
}

/** Lets anybody in at open.example.org: for tests that are about something else than who may. */
export const OPEN_POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: open}
spec:
  target: {hosts: [open.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
