import type { Socket } from 'node:net';
import type { CallBound, Ending } from '../core/door-bounds.ts';
import { type AgeOptions, OpenConnections } from '../listen/open-connections.ts';
import type { Http2Bounds } from './bounds.ts';
import { Connection } from './connection.ts';
import type { GrpcMethods } from './grpc-method.ts';
import { HeldMessages } from './held-messages.ts';
import type { ForeignProtocol } from './preface.ts';
import { WriteBuffers } from './write-buffers.ts';

export interface Http2ServerOptions extends AgeOptions {
  readonly bounds: Http2Bounds;
  readonly methods: GrpcMethods;
  /** Of one message. */
  readonly maxMessageBytes: number;
  readonly monotonicMs: () => number;
  /** Told why a connection is ended that nobody asked to end; `error` is what it broke, or what went wrong here. */
  readonly onEnding: (ending: Ending, error: unknown, peer: string) => void;
  readonly onRefused: (bound: CallBound) => void;
  readonly onForeign: (protocol: ForeignProtocol, peer: string) => void;
}

/** Times are looked at this often, or oftener where one of them is shorter. */
const LOOK_MS = 1000;

/** A server of gRPC on connections that others accept: HTTP/2 with prior knowledge, one interval for all of them. */
export class Http2Server extends OpenConnections<Connection> {
  readonly #options: Http2ServerOptions;
  readonly #buffers = new WriteBuffers();
  readonly #held: HeldMessages;
  readonly #interval: NodeJS.Timeout;

  constructor(options: Http2ServerOptions) {
    super(options);
    this.#options = options;
    this.#held = new HeldMessages(options.bounds.maxBufferedTotal, () => this.open.size);
    const { handshakeTimeoutMs, requestTimeoutMs, stallTimeoutMs, pingIntervalMs, pingTimeoutMs } = options.bounds;
    const shortest = Math.min(handshakeTimeoutMs, requestTimeoutMs, stallTimeoutMs, pingIntervalMs, pingTimeoutMs);
    this.#interval = setInterval(() => this.#look(), Math.min(LOOK_MS, Math.max(1, shortest / 4)));
    this.#interval.unref();
  }

  /** Takes a connection, decrypted where it has to be. */
  accept(socket: Socket): void {
    this.add(socket, new Connection(socket, { ...this.#options, buffers: this.#buffers, held: this.#held }));
  }

  /** Ends all that is left. */
  stop(): void {
    clearInterval(this.#interval);
    for (const connection of this.open) connection.destroy();
  }

  #look(): void {
    const nowMs = this.#options.monotonicMs();
    for (const connection of this.open) connection.look(nowMs);
  }
}
