/** Why the gRPC door ends a connection that nobody asked it to end: the closed set of a metric's label. */
export const CONNECTION_ENDINGS = [
  /** It speaks something else than HTTP/2. */
  'foreign',
  /** It breaks a rule of HTTP/2. */
  'protocol',
  /** Something went wrong here. */
  'internal',
  /** There are as many as there may be. */
  'connections',
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
export const CALL_BOUNDS = [
  'streams',
  'header_bytes',
  'buffered_bytes',
  'buffered_total',
  'message_bytes',
  'slow_request',
] as const;
export type CallBound = (typeof CALL_BOUNDS)[number];

/** What one peer may make this side do and hold. Each is an option of `serve`. */
export interface Http2Bounds {
  /** Calls of a connection at a time. */
  readonly maxStreams: number;
  /** Bytes of the fields of one call, as they come and as they are counted decoded. */
  readonly maxHeaderBytes: number;
  /** Bytes that a peer may have remembered for its header blocks. */
  readonly headerTableBytes: number;
  /** CONTINUATION frames of one header block. */
  readonly maxContinuations: number;
  /**
   * Frames a second of a connection that carry no call, beyond four for each call that was answered. Large ones count once
   * more for each 512 bytes, and so do header blocks, until their calls are answered.
   */
  readonly maxFrameRate: number;
  /** Resets a second of a connection, by the peer or provoked by it, beyond one for each call that was answered. */
  readonly maxResetRate: number;
  /** Bytes of a connection's messages that are not whole, or whose checks are not over. */
  readonly maxBufferedBytes: number;
  /** The same of all connections. */
  readonly maxBufferedTotal: number;
  /** Bytes of answers that a connection may leave unread. */
  readonly maxUnsentBytes: number;
  /** For the TLS handshake, and again until a connection has sent its preface and settings, and has acknowledged ours. */
  readonly handshakeTimeoutMs: number;
  /** Until a call, or a frame, that has begun is whole. */
  readonly requestTimeoutMs: number;
  /** How long a peer may take nothing of an answer. */
  readonly stallTimeoutMs: number;
  /** A connection that was silent for this long is asked whether it is there. */
  readonly pingIntervalMs: number;
  /** How long it may take to say so. */
  readonly pingTimeoutMs: number;
}
