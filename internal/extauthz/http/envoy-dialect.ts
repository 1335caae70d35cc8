import type { Dialect, Told } from './dialect.ts';
import { fieldReader, type HttpMessage, valuesOf } from './http-message.ts';

const PREFIX = '/check/envoy';
const TIMEOUT = 'x-envoy-expected-rq-timeout-ms';
const fieldsOf = fieldReader({
  // Envoy's own words to the server it asks, whatever the client sent.
  own: [TIMEOUT, 'x-envoy-internal'],
  // It is told not to pass it on (CONTENT_TYPE_HINT).
  untold: ['content-type'],
  // Without `encode_raw_headers` it joins lines, and nothing tells.
  isJoined: true,
});
/** Content in a request of these methods has no meaning (RFC 9110 §9.3); that of others may have stayed behind. */
const BODYLESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/**
 * Where Envoy cannot ask and the request it asks with looks like gRPC, it answers itself in gRPC's form, with HTTP status
 * 200, and takes that for an allow (seen on 1.40.0). So it must not pass this field on, and must be seen not to.
 */
const CONTENT_TYPE_HINT =
  'content-type arrived, and with it Envoy lets gRPC requests pass whenever it cannot ask: write disallowed_headers: {patterns: [{exact: content-type}]} in the filter';
const MAX_TIMEOUT_MS = 600_000;

/**
 * Envoy's `http_service` with `path_prefix: /check/envoy`: method, path and host of the check are the request's own. Its
 * client's address and TLS session are not told.
 */
export const ENVOY: Dialect = {
  path: PREFIX,
  isPrefix: true,
  takesBody: true,
  removesListed: true,
  read,
  timeoutMs({ lines }) {
    const [text = '', ...more] = valuesOf(lines, TIMEOUT);
    const ms = more.length === 0 && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
    return ms > 0 && ms <= MAX_TIMEOUT_MS ? ms : undefined;
  },
  // Of 5xx Envoy makes an error, which `failure_mode_allow` lets pass; of all else but 200 a refusal (seen on 1.40.0).
  statusOf: (http) => (http >= 400 && http < 500 ? http : 403),
};

function read({ method, target, lines, body }: HttpMessage): Told | string {
  if (valuesOf(lines, 'content-type').length > 0) return CONTENT_TYPE_HINT;
  // Several are no host, as a list of them is none.
  const host = valuesOf(lines, 'host').join(',');
  const [proto = ''] = valuesOf(lines, 'x-forwarded-proto');
  return {
    method,
    target: target.slice(PREFIX.length),
    host,
    scheme: proto === 'https' ? 'https' : 'http',
    headers: fieldsOf(lines),
    size: body?.length ?? sizeWithoutBody(method),
    address: '',
    cameByTls: false,
  };
}

/** The client's own `content-length` is not told: where no body came, one can have stayed behind wherever one is usual. */
const sizeWithoutBody = (method: string): number => (BODYLESS.has(method) ? 0 : -1);
