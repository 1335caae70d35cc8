import { typed } from './cluster.ts';

/** What the ext_authz filter is told (Envoy extensions/filters/http/ext_authz/v3). */
export interface ExtAuthzOptions {
  /** How long a check may take; Envoy's own default is 200 ms. */
  readonly timeoutMs?: number;
  readonly withBody?: { readonly maxBytes: number; readonly allowPartial: boolean; readonly asBytes?: boolean };
  readonly failureModeAllow?: boolean;
  /** HTTP status when the agent does not answer, 403 by default. */
  readonly statusOnError?: number;
  /** Sends `header_map` with repeated fields and raw bytes, in place of `headers`. */
  readonly rawHeaders?: boolean;
  readonly validateMutations?: boolean;
  /** On by default, as the TLS session is. */
  readonly peerCertificate?: boolean;
  readonly tlsSession?: boolean;
  /** Namespaces of dynamic and of route metadata that a check carries. */
  readonly metadataNamespaces?: readonly string[];
  readonly routeMetadataNamespaces?: readonly string[];
  /** Retries of a check that the agent did not answer. */
  readonly retries?: number;
  /** Fields of the filter that have no option here; they win. */
  readonly filterFields?: Readonly<Record<string, unknown>>;
}

export const EXT_AUTHZ = 'envoy.filters.http.ext_authz';

/** The filter that asks the cluster "agent". */
export function extAuthzFilter(options: ExtAuthzOptions): object {
  const { withBody, statusOnError, metadataNamespaces, routeMetadataNamespaces } = options;
  return {
    name: EXT_AUTHZ,
    typed_config: typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      transport_api_version: 'V3',
      grpc_service: grpcService(options),
      failure_mode_allow: options.failureModeAllow ?? false,
      include_peer_certificate: options.peerCertificate ?? true,
      include_tls_session: options.tlsSession ?? true,
      validate_mutations: options.validateMutations ?? true,
      encode_raw_headers: options.rawHeaders ?? false,
      ...(statusOnError !== undefined && { status_on_error: { code: statusOnError } }),
      ...(metadataNamespaces !== undefined && { metadata_context_namespaces: metadataNamespaces }),
      ...(routeMetadataNamespaces !== undefined && { route_metadata_context_namespaces: routeMetadataNamespaces }),
      ...(withBody !== undefined && { with_request_body: requestBody(withBody) }),
      ...options.filterFields,
    }),
  };
}

function grpcService({ timeoutMs = 1000, retries }: ExtAuthzOptions): object {
  // Without conditions Envoy retries nothing.
  const retryOn = 'unavailable,connect-failure,refused-stream,reset';
  const retry = retries === undefined ? {} : { retry_policy: { num_retries: retries, retry_on: retryOn } };
  return { envoy_grpc: { cluster_name: 'agent' }, timeout: `${timeoutMs / 1000}s`, ...retry };
}

const requestBody = (body: NonNullable<ExtAuthzOptions['withBody']>): object => ({
  max_request_bytes: body.maxBytes,
  allow_partial_message: body.allowPartial,
  pack_as_bytes: body.asBytes ?? false,
});

/** What a virtual host or route says about its checks: nothing, words for the agent, or that there are none. */
export function perRoute(
  contextExtensions: Readonly<Record<string, string>> | undefined,
  isChecked: boolean | undefined,
): object {
  if (isChecked !== false && contextExtensions === undefined) return {};
  const settings =
    isChecked === false ? { disabled: true } : { check_settings: { context_extensions: contextExtensions } };
  const config = typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute', settings);
  return { typed_per_filter_config: { [EXT_AUTHZ]: config } };
}
