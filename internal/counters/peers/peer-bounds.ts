/** What workers may cost each other. */
export interface PeerBounds {
  /** Most asks of one owner that wait for its answer; more are not asked. */
  readonly maxAsks: number;
  /** Most bytes of asks that an owner has not read yet; more are not asked, nor given back. */
  readonly maxUnreadBytes: number;
  /** An owner that answers nothing for so long is taken for one that is away, until it answers. */
  readonly stallMs: number;
  /** From one attempt to reach an owner to the next. */
  readonly reconnectMs: number;
}

/** Stalls end before a check does by default, and last longer than any pause that a worker makes by itself. */
export const PEER_BOUNDS: PeerBounds = Object.freeze({
  maxAsks: 4096,
  maxUnreadBytes: 4 * 1024 * 1024,
  stallMs: 100,
  reconnectMs: 50,
});

/** The socket of one process of a worker: one that takes its place has another. */
export const socketPathOf = (directory: string, index: number, generation: number): string =>
  `${directory}/worker-${index}-${generation}.sock`;
