import type { Http2Bounds } from '../core/door-bounds.ts';

export type { Http2Bounds };

/** Those of the options where nothing is given. */
export const DEFAULT_BOUNDS: Http2Bounds = Object.freeze({
  // Envoy's own default for its side. With fewer, a burst on a new connection is refused before Envoy knows of the bound
  // (seen with 256 and 400 requests at once), and Envoy's failure mode has the word.
  maxStreams: 1024,
  maxHeaderBytes: 32 * 1024,
  headerTableBytes: 4096,
  maxContinuations: 16,
  maxFrameRate: 2000,
  maxResetRate: 5000,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxBufferedTotal: 256 * 1024 * 1024,
  maxUnsentBytes: 4 * 1024 * 1024,
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 10_000,
});
