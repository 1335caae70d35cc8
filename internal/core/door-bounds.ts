/** Why the gRPC door ends a connection that nobody asked it to end: the closed set of a metric's label. */
export const CONNECTION_ENDINGS = [
  /** It speaks something else than HTTP/2. */
  'foreign',
  /** It breaks a rule of HTTP/2. */
  'protocol',
  /** Something went wrong here. */
  'internal',
  'handshake',
  'header_bytes',
  'continuations',
  'frame_rate',
  'reset_rate',
  'unsent_bytes',
  'stalled',
  'slow_request',
  'silent',
] as const;
export type Ending = (typeof CONNECTION_ENDINGS)[number];

/** Why it refuses a call, not the connection. */
export const CALL_BOUNDS = ['streams', 'header_bytes', 'buffered_bytes', 'message_bytes', 'slow_request'] as const;
export type CallBound = (typeof CALL_BOUNDS)[number];
