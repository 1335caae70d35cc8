import type { Socket } from 'node:net';
import type { CallBound, Ending } from '../core/door-bounds.ts';
import type { Http2Bounds } from './bounds.ts';
import { Connection } from './connection.ts';
import type { GrpcMethods } from './grpc-method.ts';
import type { ForeignProtocol } from './preface.ts';
import { WriteBuffers } from './write-buffers.ts';

export interface Http2ServerOptions {
  readonly bounds: Http2Bounds;
  readonly methods: GrpcMethods;
  /** Of one message. */
  readonly maxMessageBytes: number;
  /** A connection is asked to end after this long, give or take a tenth. */
  readonly maxAgeMs: number;
  /** How long it may then take for its last calls. */
  readonly graceMs: number;
  readonly monotonicMs: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Told why a connection is ended that nobody asked to end; `error` is what it broke, or what went wrong here. */
  readonly onEnding: (ending: Ending, error: unknown, peer: string) => void;
  readonly onRefused: (bound: CallBound) => void;
  readonly onForeign: (protocol: ForeignProtocol, peer: string) => void;
}

/** Times are looked at this often, or oftener where one of them is shorter. */
const LOOK_MS = 1000;

/** A server of gRPC on connections that others accept: HTTP/2 with prior knowledge, one interval for all of them. */
export class Http2Server {
  readonly #options: Http2ServerOptions;
  readonly #buffers = new WriteBuffers();
  readonly #open = new Set<Connection>();
  readonly #interval: NodeJS.Timeout;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(options: Http2ServerOptions) {
    this.#options = options;
    const { handshakeTimeoutMs, requestTimeoutMs, stallTimeoutMs, pingIntervalMs, pingTimeoutMs } = options.bounds;
    const shortest = Math.min(handshakeTimeoutMs, requestTimeoutMs, stallTimeoutMs, pingIntervalMs, pingTimeoutMs);
    this.#interval = setInterval(() => this.#look(), Math.min(LOOK_MS, Math.max(1, shortest / 4)));
    this.#interval.unref();
  }

  /** Takes a connection, decrypted where it has to be. */
  accept(socket: Socket): void {
    const { maxAgeMs, graceMs, random } = this.#options;
    const connection = new Connection(socket, { ...this.#options, buffers: this.#buffers });
    this.#open.add(connection);
    socket.on('close', () => {
      this.#open.delete(connection);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
    connection.retireIn(maxAgeMs * (0.9 + 0.2 * random()), graceMs);
  }

  /** Asks every connection to end; resolves when all have, or after this long. */
  async drain(timeoutMs: number): Promise<void> {
    for (const connection of this.#open) connection.retire(timeoutMs);
    await this.ended(timeoutMs);
  }

  /** Resolves when no connection is open, or after this long. */
  async ended(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }

  /** Ends all that is left. */
  stop(): void {
    clearInterval(this.#interval);
    for (const connection of this.#open) connection.destroy();
  }

  #look(): void {
    const nowMs = this.#options.monotonicMs();
    for (const connection of this.#open) connection.look(nowMs);
  }
}
