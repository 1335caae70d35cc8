import type { HeaderFields } from './attributes.ts';

/**
 * Fields whose repeated lines Envoy joins with a comma before any filter sees them, so in `header_map` too (sent twice
 * through 1.40.0). Those that hold commas by their own rules (RFC 9110 §5.6.1, the Fetch standard) are not among them: there a
 * comma tells nothing.
 */
const ALWAYS_JOINED: ReadonlySet<string> = new Set([
  'access-control-request-method',
  'access-control-request-private-network',
  'authorization',
  'content-type',
  'grpc-timeout',
  'origin',
  'referer',
  'x-client-trace-id',
  'x-forwarded-client-cert',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
]);

/** Envoy's own fields: it joins those it knows, and which ones it knows changes with its versions. */
const ENVOY = 'x-envoy-';

/** Whether a comma in a field can be where Envoy joined two lines of it. */
export const isJoinedBy = (headers: Pick<HeaderFields, 'isJoined'>, name: string): boolean =>
  headers.isJoined || ALWAYS_JOINED.has(name) || name.startsWith(ENVOY);
