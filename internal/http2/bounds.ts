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
  /** Frames a second of a connection that carry no call, beyond four for each call that was answered. */
  readonly maxFrameRate: number;
  /** Resets a second of a connection, by the peer or provoked by it, beyond one for each call that was answered. */
  readonly maxResetRate: number;
  /** Bytes that a connection may have sent of messages that are not whole. */
  readonly maxBufferedBytes: number;
  /** Bytes of answers that a connection may leave unread. */
  readonly maxUnsentBytes: number;
  /** Until a connection has sent its preface and settings, and has acknowledged ours. */
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

export const DEFAULT_BOUNDS: Http2Bounds = Object.freeze({
  // Envoy's own default for its side. With fewer, a burst on a new connection is refused before Envoy knows of the bound.
  maxStreams: 1024,
  maxHeaderBytes: 32 * 1024,
  headerTableBytes: 4096,
  maxContinuations: 16,
  maxFrameRate: 2000,
  maxResetRate: 1000,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxUnsentBytes: 4 * 1024 * 1024,
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 10_000,
});
